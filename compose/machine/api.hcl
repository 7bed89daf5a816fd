# An instance of api that runs on a machine, and not in a container. Application and sidecar share the machine's
# loopback: so all is as it is by default, and the control plane probes the sidecar.
service {
  id      = "api-2"
  name    = "api"
  address = "10.71.0.60"
  port    = 8080

  connect {
    sidecar_service {
      port = 21000
      proxy {
        upstreams = [
          {
            destination_name = "db"
            datacenter       = "dc2"
            local_bind_port  = 9002
          },
        ]
      }
    }
  }
}

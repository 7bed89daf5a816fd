# You, at http://127.0.0.1:8080 of this machine: a service of the mesh that has no application.
service {
  id      = "client-1"
  name    = "client"
  address = "10.71.0.10"
  port    = 8080

  connect {
    sidecar_service {
      port = 21000
      proxy {
        upstreams = [
          {
            destination_name   = "web"
            local_bind_address = "10.71.10.2"
            local_bind_port    = 8080
          },
        ]
      }
      check {
        name          = "as well as its service"
        alias_service = "client-1"
      }
    }
  }
}

service {
  id      = "api-1"
  name    = "api"
  address = "10.71.0.30"
  port    = 8080

  connect {
    sidecar_service {
      port = 21000
      proxy {
        local_service_address = "10.71.30.3"
        upstreams = [
          {
            destination_name   = "db"
            datacenter         = "dc2"
            local_bind_address = "10.71.30.2"
            local_bind_port    = 9002
          },
        ]
      }
      check {
        name          = "as well as its service"
        alias_service = "api-1"
      }
    }
  }
}

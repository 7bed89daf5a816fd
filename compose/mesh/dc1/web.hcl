# address: where others in dc1 reach the sidecar. 10.71.20.2 and .3 are the sidecar and the application where these
# two are by themselves.
service {
  id      = "web-1"
  name    = "web"
  address = "10.71.0.20"
  port    = 8080

  connect {
    sidecar_service {
      port = 21000
      proxy {
        local_service_address = "10.71.20.3"
        upstreams = [
          {
            destination_name   = "api"
            local_bind_address = "10.71.20.2"
            local_bind_port    = 9001
          },
          {
            destination_name   = "db"
            datacenter         = "dc2"
            local_bind_address = "10.71.20.2"
            local_bind_port    = 9002
          },
        ]
      }
      check {
        name          = "as well as its service"
        alias_service = "web-1"
      }
    }
  }
}

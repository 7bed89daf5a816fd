service {
  name    = "client"
  id      = "client-1"
  address = "127.0.1.1"
  port    = 9090
  connect {
    sidecar_service {
      proxy {
        upstreams {
          destination_name = "web"
          local_bind_port  = 9191
        }
      }
    }
  }
}

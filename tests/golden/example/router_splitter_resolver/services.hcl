service {
  name    = "client"
  id      = "client-1"
  address = "127.0.1.1"
  port    = 9090
  connect {
    sidecar_service {
      proxy {
        upstreams = [
          {
            destination_name = "web"
            local_bind_port  = 9191
          }
        ]
      }
    }
  }
}

service {
  name    = "web"
  id      = "web-1"
  address = "127.0.2.1"
  port    = 8080
  connect { sidecar_service {} }
}

service {
  name    = "admin"
  id      = "admin-v1-1"
  address = "127.0.3.1"
  port    = 8080
  meta    = { version = "1" }
  connect { sidecar_service {} }
}

service {
  name    = "admin"
  id      = "admin-v1-2"
  address = "127.0.3.2"
  port    = 8080
  meta    = { version = "1" }
  connect { sidecar_service {} }
}

service {
  name    = "admin"
  id      = "admin-v2-1"
  address = "127.0.4.1"
  port    = 8080
  meta    = { version = "2" }
  connect { sidecar_service {} }
}

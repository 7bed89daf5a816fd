service {
  id      = "admin-v2"
  name    = "admin"
  address = "10.71.0.42"
  port    = 8080

  meta = {
    version = "2"
  }

  connect {
    sidecar_service {
      port = 21000
      proxy {
        local_service_address = "10.71.42.3"
      }
      check {
        name          = "as well as its service"
        alias_service = "admin-v2"
      }
    }
  }
}

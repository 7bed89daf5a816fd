service {
  id      = "admin-v1"
  name    = "admin"
  address = "10.71.0.41"
  port    = 8080

  meta = {
    version = "1"
  }

  connect {
    sidecar_service {
      port = 21000
      proxy {
        local_service_address = "10.71.41.3"
      }
      check {
        name          = "as well as its service"
        alias_service = "admin-v1"
      }
    }
  }
}

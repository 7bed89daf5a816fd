service {
  id      = "db-1"
  name    = "db"
  address = "10.72.0.50"
  port    = 8080

  connect {
    sidecar_service {
      port = 21000
      proxy {
        local_service_address = "10.72.50.3"
      }
      check {
        name          = "as well as its service"
        alias_service = "db-1"
      }
    }
  }
}

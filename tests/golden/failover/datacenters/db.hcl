service {
  id      = "db-1"
  name    = "db"
  address = "127.0.0.2"
  port    = 8080

  connect {
    sidecar_service {}
  }
}

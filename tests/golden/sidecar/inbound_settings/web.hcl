service {
  id      = "web-1"
  name    = "web"
  address = "127.0.0.2"
  port    = 8080

  connect {
    sidecar_service {}
  }
}

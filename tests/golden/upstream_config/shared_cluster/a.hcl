service {
  id      = "a-1"
  name    = "a"
  address = "127.0.0.2"
  port    = 8080

  connect {
    sidecar_service {}
  }
}

service {
  id      = "b-1"
  name    = "b"
  address = "127.0.0.3"
  port    = 8080

  connect {
    sidecar_service {}
  }
}

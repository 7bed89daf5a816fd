service {
  id      = "legacy-1"
  name    = "legacy"
  address = "127.0.0.2"
  port    = 8080

  connect {
    sidecar_service {}
  }
}

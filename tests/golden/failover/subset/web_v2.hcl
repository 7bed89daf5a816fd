service {
  id      = "web-2"
  name    = "web"
  address = "127.0.0.3"
  port    = 8080

  meta = {
    version = "2"
  }

  connect {
    sidecar_service {}
  }
}

service {
  id      = "api-1"
  name    = "api"
  address = "127.0.0.3"
  port    = 8080

  meta = {
    version = "1"
  }

  connect {
    sidecar_service {}
  }
}

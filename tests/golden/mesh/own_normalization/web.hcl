service {
  name    = "web"
  id      = "web-1"
  address = "127.0.2.1"
  port    = 8080
  connect { sidecar_service {} }
}

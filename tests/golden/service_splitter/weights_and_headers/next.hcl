service {
  name    = "next"
  id      = "next-1"
  address = "127.0.3.1"
  port    = 8080
  connect { sidecar_service {} }
}

service {
  name = "api"
  port = 8080
  connect { sidecar_service {} }
}

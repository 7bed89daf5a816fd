service {
  id      = "web-1"
  name    = "web"
  address = "$network.20"
  port    = $app_port

  connect {
    sidecar_service {
      port = $sidecar_port
      proxy {
        local_service_address = "$network.20"
      }
    }
  }
}

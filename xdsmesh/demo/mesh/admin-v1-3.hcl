service {
  id      = "admin-v1-3"
  name    = "admin"
  address = "$network.33"
  port    = $app_port

  meta = {
    version = "1"
  }

  connect {
    sidecar_service {
      port = $sidecar_port
      proxy {
        local_service_address = "$network.33"
      }
    }
  }
}

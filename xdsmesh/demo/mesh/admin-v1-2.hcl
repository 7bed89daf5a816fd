service {
  id      = "admin-v1-2"
  name    = "admin"
  address = "$network.32"
  port    = $app_port

  meta = {
    version = "1"
  }

  connect {
    sidecar_service {
      port = $sidecar_port
      proxy {
        local_service_address = "$network.32"
      }
    }
  }
}

service {
  id      = "admin-v2-1"
  name    = "admin"
  address = "$network.41"
  port    = $app_port

  meta = {
    version = "2"
  }

  connect {
    sidecar_service {
      port = $sidecar_port
      proxy {
        local_service_address = "$network.41"
      }
    }
  }
}

service {
  id      = "db-1"
  name    = "db"
  address = "$network.130"
  port    = $app_port

  connect {
    sidecar_service {
      port = $sidecar_port
      proxy {
        local_service_address = "$network.130"
      }
    }
  }
}

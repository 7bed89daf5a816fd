service {
  id      = "ledger-1"
  name    = "ledger"
  address = "$network.140"
  port    = $app_port

  connect {
    sidecar_service {
      port = $sidecar_port
      proxy {
        local_service_address = "$network.140"
      }
    }
  }
}

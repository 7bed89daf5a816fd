service {
  id   = "client-1"
  name = "client"
  port = 8080

  connect {
    sidecar_service {
      proxy {
        config {
          protocol                    = "http2"
          max_inbound_connections     = 7
          local_idle_timeout_ms       = 0
          balance_inbound_connections = "exact_balance"
        }
        upstreams = [
          {
            destination_name = "web"
            local_bind_port  = 9191
          },
        ]
      }
    }
  }
}

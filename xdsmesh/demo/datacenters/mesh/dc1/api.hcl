service {
  id      = "api-1"
  name    = "api"
  address = "$network.20"
  port    = $app_port

  connect {
    sidecar_service {
      port = $sidecar_port
      proxy {
        local_service_address = "$network.20"
        upstreams = [
          {
            destination_name   = "db"
            datacenter         = "dc2"
            local_bind_address = "$network.20"
            local_bind_port    = $upstream_port
          },
          {
            destination_name   = "ledger"
            datacenter         = "dc2"
            local_bind_address = "$network.20"
            local_bind_port    = $tcp_upstream_port
          },
        ]
      }
    }
  }
}

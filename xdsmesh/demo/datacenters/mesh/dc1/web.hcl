service {
  id      = "web-1"
  name    = "web"
  address = "$network.10"
  port    = $app_port

  connect {
    sidecar_service {
      port = $sidecar_port
      proxy {
        local_service_address = "$network.10"
        upstreams = [
          {
            destination_name   = "db"
            datacenter         = "dc2"
            local_bind_address = "$network.10"
            local_bind_port    = $upstream_port
          },
          {
            destination_name   = "ledger"
            datacenter         = "dc2"
            local_bind_address = "$network.10"
            local_bind_port    = $tcp_upstream_port
          },
        ]
      }
    }
  }
}

service {
  id      = "client-1"
  name    = "client"
  address = "$network.10"
  port    = $app_port

  connect {
    sidecar_service {
      port = $sidecar_port
      proxy {
        local_service_address = "$network.10"
        upstreams = [
          {
            destination_name   = "web"
            local_bind_address = "$network.10"
            local_bind_port    = $upstream_port
          },
        ]
      }
    }
  }
}

service {
  kind    = "mesh-gateway"
  name    = "gateway"
  id      = "gateway-1"
  address = "10.0.1.9"
  port    = 8443
  tagged_addresses {
    lan { address = "10.0.1.9", port = 8443 }
    wan { address = "203.0.113.7", port = 443 }
    named { address = "gw.example.com", port = 443 }
  }
  proxy {
    config {
      envoy_gateway_no_default_bind       = true
      envoy_gateway_bind_tagged_addresses = true
      envoy_mesh_gateway_bind_addresses   = { inner = { address = "192.0.2.9", port = 9443 } }
      connect_timeout_ms                  = 1500
    }
  }
}

# The only ones that reach the other datacenter: lan is where their own one reaches them, wan where the other gateway does.
service {
  kind    = "mesh-gateway"
  id      = "gateway-dc2"
  name    = "mesh-gateway"
  address = "10.72.0.5"
  port    = 8443

  tagged_addresses {
    lan {
      address = "10.72.0.5"
      port    = 8443
    }
    wan {
      address = "10.70.0.21"
      port    = 8443
    }
  }

  proxy {
    config {
      envoy_gateway_no_default_bind       = true
      envoy_gateway_bind_tagged_addresses = true
    }
  }
}

service {
  kind    = "mesh-gateway"
  name    = "gateway"
  id      = "gateway-1"
  address = "10.0.1.9"
  port    = 8443
}

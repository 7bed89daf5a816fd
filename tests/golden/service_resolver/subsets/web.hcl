service {
  name    = "web"
  id      = "web-old"
  address = "127.0.2.1"
  port    = 8080
  tags    = ["stable"]
  meta    = { version = "1" }
  connect { sidecar_service {} }
}

service {
  name    = "web"
  id      = "web-new"
  address = "127.0.2.2"
  port    = 8080
  tags    = ["canary"]
  meta    = { version = "2" }
  weights { passing = 300 }
  check {
    name   = "load"
    status = "warning"
  }
  connect { sidecar_service {} }
}

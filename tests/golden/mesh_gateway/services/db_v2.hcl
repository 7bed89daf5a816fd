service {
  name = "db"
  id   = "db-v2"
  address = "10.0.1.2"
  port = 5432
  meta { version = "2" }
  connect { sidecar_service {} }
}

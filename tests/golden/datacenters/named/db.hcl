service {
  name = "db"
  id   = "db-v1"
  address = "10.0.1.1"
  port = 5432
  meta { version = "1" }
  connect { sidecar_service {} }
}

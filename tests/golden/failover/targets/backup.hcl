service {
  id      = "backup-1"
  name    = "backup"
  address = "127.0.0.3"
  port    = 8080

  meta = {
    version = "old"
  }

  connect {
    sidecar_service {}
  }
}

service {
  name = "client"
  port = 8000
  connect {
    sidecar_service {
      proxy {
        upstreams = [{ destination_name = "db", local_bind_port = 5432 }]
      }
    }
  }
}

service {
  name = "client"
  port = 8000
  connect {
    sidecar_service {
      proxy {
        upstreams = [
          { destination_name = "db", local_bind_port = 5432 },
          { destination_name = "db", datacenter = "dc2", local_bind_port = 5433, mesh_gateway { mode = "remote" } },
          { destination_name = "web", datacenter = "dc2", local_bind_port = 8080, mesh_gateway { mode = "local" } },
        ]
      }
    }
  }
}

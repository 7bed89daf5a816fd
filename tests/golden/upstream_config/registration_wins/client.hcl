service {
  id   = "client-1"
  name = "client"
  port = 8080

  connect {
    sidecar_service {
      proxy {
        upstreams = [
          {
            destination_name = "web"
            local_bind_port  = 9191
            mesh_gateway {
              mode = "remote"
            }
            config {
              protocol           = "grpc"
              connect_timeout_ms = "2500"
              limits {
                max_connections         = 10
                max_pending_requests    = 20
                max_concurrent_requests = 30
              }
              passive_health_check {
                interval                  = "1s"
                max_failures              = 2
                enforcing_consecutive_5xx = 50
              }
              balance_outbound_connections = "exact_balance"
            }
          },
        ]
      }
    }
  }
}

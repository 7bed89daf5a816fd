# client calls four services: two over http, two over tcp. Nothing is allowed that no intention allows.

services = [
  {
    name    = "client"
    id      = "client-1"
    address = "$network.10"
    port    = $app_port
    connect { sidecar_service {
      port = $sidecar_port
      proxy {
        local_service_address = "$network.10"
        upstreams = [
          { destination_name = "web", local_bind_address = "$network.10", local_bind_port = $upstream_port },
          { destination_name = "api", local_bind_address = "$network.11", local_bind_port = $upstream_port },
          { destination_name = "db", local_bind_address = "$network.12", local_bind_port = $upstream_port },
          { destination_name = "cache", local_bind_address = "$network.13", local_bind_port = $upstream_port },
        ]
      }
    } }
  },
  {
    name    = "web"
    id      = "web-1"
    address = "$network.20"
    port    = $app_port
    connect { sidecar_service { port = $sidecar_port, proxy { local_service_address = "$network.20" } } }
  },
  {
    name    = "api"
    id      = "api-1"
    address = "$network.30"
    port    = $app_port
    connect { sidecar_service { port = $sidecar_port, proxy { local_service_address = "$network.30" } } }
  },
  {
    name    = "db"
    id      = "db-1"
    address = "$network.40"
    port    = $app_port
    connect { sidecar_service { port = $sidecar_port, proxy { local_service_address = "$network.40" } } }
  },
  {
    name    = "cache"
    id      = "cache-1"
    address = "$network.50"
    port    = $app_port
    connect { sidecar_service { port = $sidecar_port, proxy { local_service_address = "$network.50" } } }
  },
]

config_entries { bootstrap = [
  { kind = "service-defaults", name = "web", protocol = "http" },
  { kind = "service-defaults", name = "api", protocol = "http" },
  { kind = "service-intentions", name = "web", sources = [{ name = "client", action = "deny" }] },
  {
    kind = "service-intentions"
    name = "api"
    sources = [{
      name = "client"
      permissions = [
        { action = "deny", http = { path_prefix = "/secret" } },
        { action = "allow", http = { path_prefix = "/open" } },
      ]
    }]
  },
  { kind = "service-intentions", name = "db", sources = [{ name = "client", action = "deny" }] },
  { kind = "service-intentions", name = "cache", sources = [{ name = "client", action = "allow" }] },
] }

# client calls web; web's router sends its requests to web itself, to api, and to two versions of admin.

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
        upstreams = [{
          destination_name   = "web"
          local_bind_address = "$network.10"
          local_bind_port    = $upstream_port
        }]
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
    meta    = { alive = "yes" }
    connect { sidecar_service { port = $sidecar_port, proxy { local_service_address = "$network.30" } } }
  },
  {
    # Nothing listens there, and nobody finds out.
    name    = "api"
    id      = "api-2"
    address = "$network.31"
    port    = $app_port
    meta    = { alive = "no" }
    connect { sidecar_service {
      port  = $sidecar_port
      check = { name = "by hand", status = "passing" }
      proxy { local_service_address = "$network.31" }
    } }
  },
  {
    name    = "admin"
    id      = "admin-v1-1"
    address = "$network.41"
    port    = $app_port
    meta    = { version = "1" }
    connect { sidecar_service { port = $sidecar_port, proxy { local_service_address = "$network.41" } } }
  },
  {
    name    = "admin"
    id      = "admin-v2-1"
    address = "$network.42"
    port    = $app_port
    meta    = { version = "2" }
    connect { sidecar_service { port = $sidecar_port, proxy { local_service_address = "$network.42" } } }
  },
]

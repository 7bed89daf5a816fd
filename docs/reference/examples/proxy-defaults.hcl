Kind = "proxy-defaults"
Name = "global"
Meta = { owner = "platform" }

Mode          = "transparent"
MutualTLSMode = "strict"

Config {
  protocol                    = "http"
  local_connect_timeout_ms    = 1000
  local_request_timeout_ms    = 15000
  local_idle_timeout_ms       = 60000
  max_inbound_connections     = 1000
  max_request_headers_kb      = 96
  balance_inbound_connections = "exact_balance"
  envoy_tracing_json          = "{}"
}

TransparentProxy { OutboundListenerPort = 15001, DialedDirectly = true }
MeshGateway      { Mode = "local" }

Expose {
  Checks = true
  Paths = [
    { ListenerPort = 21500, Path = "/health", LocalPathPort = 8080, Protocol = "http2", ParsedFromCheck = true },
  ]
}

AccessLogs {
  Enabled             = true
  DisableListenerLogs = true
  Type                = "file"
  Path                = "/var/log/proxy.log"
  JSONFormat          = "{\"path\": \"%REQ(:PATH)%\"}"
}

EnvoyExtensions = [
  {
    Name          = "builtin/lua"
    Required      = true
    ConsulVersion = ">= 1.16.0"
    EnvoyVersion  = ">= 1.28.0"
    Arguments     = { ProxyType = "connect-proxy", Listener = "inbound", Script = "function envoy_on_request(h) end" }
  },
]

FailoverPolicy { Mode = "order-by-locality", Regions = ["eu-west-1", "eu-central-1"] }

Kind = "service-defaults"
Name = "web"
Meta = { owner = "shop" }

Protocol      = "http"
Mode          = "transparent"
MutualTLSMode = "strict"
ExternalSNI   = "web.example.com"

MaxInboundConnections     = 1000
LocalConnectTimeoutMs     = 1000
LocalRequestTimeoutMs     = 15000
MaxRequestHeadersKB       = 96
BalanceInboundConnections = "exact_balance"

TransparentProxy { OutboundListenerPort = 15001, DialedDirectly = true }
MeshGateway      { Mode = "remote" }

Expose {
  Checks = true
  Paths = [
    { ListenerPort = 21500, Path = "/health", LocalPathPort = 8080, Protocol = "http", ParsedFromCheck = true },
  ]
}

UpstreamConfig {
  Defaults {
    ConnectTimeoutMs = 2000
    MeshGateway      = { Mode = "local" }
  }
  Overrides = [
    {
      Name                       = "api"
      Peer                       = "east"
      Protocol                   = "grpc"
      ConnectTimeoutMs           = 500
      BalanceOutboundConnections = "exact_balance"
      EnvoyListenerJSON          = "{}"
      EnvoyClusterJSON           = "{}"
      Limits                     = { MaxConnections = 100, MaxPendingRequests = 10, MaxConcurrentRequests = 50 }
      PassiveHealthCheck = {
        Interval                = "5s"
        MaxFailures             = 3
        EnforcingConsecutive5xx = 50
        MaxEjectionPercent      = 30
        BaseEjectionTime        = "20s"
      }
    },
  ]
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

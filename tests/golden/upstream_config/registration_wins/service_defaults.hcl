Kind     = "service-defaults"
Name     = "client"
Protocol = "http"
UpstreamConfig {
  Overrides = [
    {
      Name             = "web"
      Protocol         = "http2"
      ConnectTimeoutMs = 1500
      Limits {
        MaxConnections = 1
      }
    },
  ]
}

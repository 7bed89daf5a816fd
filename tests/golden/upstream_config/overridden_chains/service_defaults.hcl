Kind     = "service-defaults"
Name     = "client"
Protocol = "http"
UpstreamConfig {
  Overrides = [
    {
      Name             = "web"
      ConnectTimeoutMs = 1500
    },
    {
      Name     = "api"
      Protocol = "tcp"
    },
    {
      Name             = "db"
      ConnectTimeoutMs = 5000
      Protocol         = "http"
    },
  ]
}

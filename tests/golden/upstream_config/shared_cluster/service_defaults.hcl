Kind     = "service-defaults"
Name     = "client"
Protocol = "http"
UpstreamConfig {
  Overrides = [
    {
      Name = "a"
      Limits {
        MaxConnections = 1
      }
    },
    {
      Name = "b"
      Limits {
        MaxConnections = 2
      }
    },
  ]
}

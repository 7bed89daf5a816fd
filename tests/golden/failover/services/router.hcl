Kind = "service-router"
Name = "web"
Routes = [
  {
    Match {
      HTTP {
        PathPrefix = "/api"
      }
    }
    Destination {
      RetryOnConnectFailure = true
      NumRetries            = 2
    }
  },
]

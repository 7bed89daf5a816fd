Kind = "service-router"
Name = "web"
Routes = [
  {
    Match { HTTP { PathPrefix = "/all" } }
    Destination {
      NumRetries            = 3
      RetryOn               = ["reset", "gateway-error"]
      RetryOnConnectFailure = true
      RetryOnStatusCodes    = [503, 429]
    }
  },
  {
    Match { HTTP { PathPrefix = "/twice-said" } }
    Destination {
      RetryOn               = ["connect-failure", "5xx"]
      RetryOnConnectFailure = true
    }
  },
]

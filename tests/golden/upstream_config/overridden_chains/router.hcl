Kind = "service-router"
Name = "api"
Routes = [
  {
    Match {
      HTTP {
        PathPrefix = "/x"
      }
    }
    Destination {
      Service = "web"
    }
  },
]

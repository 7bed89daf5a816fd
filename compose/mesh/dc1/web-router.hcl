Kind = "service-router"
Name = "web"
Routes = [
  {
    Match {
      HTTP {
        PathPrefix = "/admin"
        PrefixRewrite = "/"
      }
    }
    Destination {
      Service = "admin"
    }
  },
]

Kind = "service-router"
Name = "a"
Routes = [
  {
    Match {
      HTTP {
        PathPrefix = "/b"
      }
    }
    Destination {
      Service = "b"
    }
  },
]

Kind = "service-router"
Name = "web"
Routes = [
  {
    Match { HTTP { PathPrefix = "/slow" } }
    Destination {
      RequestTimeout = "2m30s"
      IdleTimeout    = "1.5s"
    }
  },
  {
    Match { HTTP { PathPrefix = "/forever" } }
    Destination {
      RequestTimeout = "-1s"
      IdleTimeout    = "-1s"
    }
  },
  {
    Match { HTTP { PathPrefix = "/envoys-default" } }
    Destination { RequestTimeout = "0s" }
  },
]

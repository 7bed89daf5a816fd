Kind = "service-router"
Name = "web"
Routes = [
  {
    Match { HTTP { PathPrefix = "/strip" } }
    Destination { PrefixRewrite = "/" }
  },
  {
    Match {
      HTTP {
        PathPrefix      = "/strip.any/case"
        CaseInsensitive = true
      }
    }
    Destination { PrefixRewrite = "/" }
  },
  {
    Match { HTTP { PathPrefix = "/v1/" } }
    Destination { PrefixRewrite = "/v2/" }
  },
  {
    Match { HTTP { PathExact = "/home" } }
    Destination { PrefixRewrite = "/" }
  },
  {
    Match { HTTP { PathPrefix = "/untouched" } }
    Destination { PrefixRewrite = "" }
  },
]

Kind = "service-router"
Name = "web"
Routes = [
  {
    Match { HTTP { PathPrefix = "/" } }
    Destination {
      RequestHeaders {
        Add    = { "x-b" = "1", "x-a" = "2" }
        Set    = { "x-caller" = "%DOWNSTREAM_REMOTE_ADDRESS%" }
        Remove = ["x-secret", "x-debug"]
      }
      ResponseHeaders {
        Add    = { "x-served" = "mesh" }
        Remove = ["server"]
      }
    }
  },
]

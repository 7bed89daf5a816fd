Kind = "service-router"
Name = "web"
Meta = { owner = "shop" }

Routes = [
  {
    Match {
      HTTP {
        PathPrefix      = "/admin"
        CaseInsensitive = true
        Methods         = ["GET", "POST"]
        Header = [
          { Name = "x-debug", Present = true, Invert = true },
          { Name = "x-user", Exact = "ann" },
          { Name = "x-team", Prefix = "shop-" },
          { Name = "x-mail", Suffix = "@example.com" },
          { Name = "x-build", Regex = "[0-9]+" },
        ]
        QueryParam = [
          { Name = "v", Exact = "2" },
          { Name = "verbose", Present = true },
          { Name = "id", Regex = "[0-9]+" },
        ]
      }
    }
    Destination {
      Service               = "admin"
      ServiceSubset         = "v2"
      PrefixRewrite         = "/"
      RequestTimeout        = "10s"
      IdleTimeout           = "1m30s"
      NumRetries            = 3
      RetryOn               = ["reset", "unavailable"]
      RetryOnStatusCodes    = [502, 503]
      RetryOnConnectFailure = true
      RequestHeaders        = { Add = { x-a = "1" }, Set = { x-b = "2" }, Remove = ["x-c"] }
      ResponseHeaders       = { Remove = ["server"] }
    }
  },
  { Match = { HTTP = { PathExact = "/health" } }, Destination = { Service = "health" } },
  { Match = { HTTP = { PathRegex = "/v[12]/.*" } }, Destination = { Service = "api" } },
]

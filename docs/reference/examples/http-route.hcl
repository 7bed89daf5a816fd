Kind = "http-route"
Name = "shop"
Meta = { owner = "shop" }

Parents   = [{ Kind = "api-gateway", Name = "edge", SectionName = "https" }]
Hostnames = ["shop.example.com"]

Rules = [
  {
    Matches = [
      {
        Path    = { Match = "prefix", Value = "/v2" }
        Method  = "GET"
        Headers = [{ Match = "exact", Name = "x-debug", Value = "1" }]
        Query   = [{ Match = "present", Name = "verbose" }, { Match = "regex", Name = "id", Value = "[0-9]+" }]
      },
    ]
    Filters = {
      Headers       = [{ Add = { x-a = "1" }, Set = { x-b = "2" }, Remove = ["x-c"] }]
      URLRewrite    = { Path = "/" }
      TimeoutFilter = { RequestTimeout = "10s", IdleTimeout = "1m" }
      RetryFilter = {
        NumRetries            = 3
        RetryOn               = ["reset", "unavailable"]
        RetryOnStatusCodes    = [502, 503]
        RetryOnConnectFailure = true
      }
    }
    ResponseFilters = { Headers = [{ Remove = ["server"] }] }
    Services = [
      {
        Name            = "web"
        Weight          = 9
        Filters         = { URLRewrite = { Path = "/web" } }
        ResponseFilters = { Headers = [{ Set = { x-served-by = "web" } }] }
      },
      { Name = "web-next", Weight = 1 },
    ]
  },
]

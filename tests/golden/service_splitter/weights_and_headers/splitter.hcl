Kind = "service-splitter"
Name = "web"
Splits = [
  {
    Weight = 99.47
  },
  {
    Weight  = 0.53
    Service = "next"
    RequestHeaders {
      Set = { "x-leg" = "next" }
    }
    ResponseHeaders {
      Remove = ["server"]
    }
  },
  {
    Weight        = 0
    Service       = "next"
    ServiceSubset = "v2"
  },
]

Kind = "service-splitter"
Name = "web"
Meta = { owner = "shop" }

Splits = [
  {
    Weight          = 99.5
    ServiceSubset   = "v1"
    RequestHeaders  = { Set = { x-version = "1" } }
    ResponseHeaders = { Add = { x-version = "1" }, Remove = ["server"] }
  },
  { Weight = 0.5, Service = "web-next" },
]

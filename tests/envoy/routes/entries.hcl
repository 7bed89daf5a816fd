# What stands behind the routes of web.

config_entries {
  bootstrap = [
    {
      Kind   = "proxy-defaults"
      Name   = "global"
      Config = { protocol = "http" }
    },
    {
      Kind          = "service-resolver"
      Name          = "admin"
      DefaultSubset = "v1"
      Subsets = {
        v1   = { Filter = "Service.Meta.version == 1" }
        v2   = { Filter = "Service.Meta.version == 2" }
        none = { Filter = "Service.Meta.version == 3" }
      }
    },
    {
      Kind          = "service-resolver"
      Name          = "api"
      DefaultSubset = "alive"
      Subsets = {
        alive = { Filter = "Service.Meta.alive == yes" }
        all   = { Filter = "" }
      }
    },
    {
      Kind     = "service-resolver"
      Name     = "old-admin"
      Redirect = { Service = "admin", ServiceSubset = "v2" }
    },
    {
      Kind = "service-splitter"
      Name = "half"
      Splits = [
        {
          Weight          = 50
          Service         = "admin"
          ServiceSubset   = "v1"
          RequestHeaders  = { Set = { x-leg = "one" } }
          ResponseHeaders = { Set = { x-leg = "one" }, Remove = ["x-secret"] }
        },
        {
          Weight          = 50
          Service         = "admin"
          ServiceSubset   = "v2"
          RequestHeaders  = { Set = { x-leg = "two" }, Add = { x-more = "two" }, Remove = ["x-mine"] }
          ResponseHeaders = { Add = { x-leg = "two" } }
        },
      ]
    },
    {
      Kind = "service-splitter"
      Name = "moved"
      Splits = [
        { Weight = 0, Service = "admin", ServiceSubset = "v1" },
        { Weight = 100, Service = "admin", ServiceSubset = "v2" },
      ]
    },
  ]
}

Kind = "service-router"
Name = "web"
Routes = [
  {
    Match { HTTP { PathExact = "/exact" } }
    Destination { ServiceSubset = "v1" }
  },
  {
    Match {
      HTTP {
        PathPrefix      = "/Prefix"
        CaseInsensitive = true
      }
    }
  },
  {
    Match {
      HTTP {
        PathRegex       = "/v[0-9]+/.*"
        CaseInsensitive = true
      }
    }
  },
  {
    Match {
      HTTP {
        Header = [
          { Name = "x-present", Present = true },
          { Name = "x-absent", Present = true, Invert = true },
          { Name = "x-exact", Exact = "1" },
          { Name = "x-prefix", Prefix = "a" },
          { Name = "x-suffix", Suffix = "z", Invert = true },
          { Name = "x-regex", Regex = "[0-9]+" },
        ]
      }
    }
  },
  {
    Match {
      HTTP {
        QueryParam = [
          { Name = "present", Present = true },
          { Name = "exact", Exact = "1" },
          { Name = "regex", Regex = "[a-z]+" },
        ]
        Methods = ["get", "PUT"]
      }
    }
  },
  {
    Destination { ServiceSubset = "v1" }
  },
]

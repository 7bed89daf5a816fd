Kind = "service-resolver"
Name = "shop"

Redirect { Service = "web", ServiceSubset = "v2", Datacenter = "dc2" }

Kind = "service-resolver"
Name = "db"
Subsets = { v1 = { Filter = "Service.Meta.version == 1" } }
Failover = { "*" = { Targets = [{ Datacenter = "dc2", ServiceSubset = "v1" }, { Datacenter = "dc3" }] } }

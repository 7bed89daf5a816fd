Kind = "service-resolver"
Name = "web"
Meta = { owner = "shop" }

DefaultSubset  = "v1"
ConnectTimeout = "5s"
RequestTimeout = "30s"

Subsets = {
  v1 = { Filter = "Service.Meta.version == v1" }
  v2 = { Filter = "Service.Meta.version == v2", OnlyPassing = true }
}

Failover = {
  v1  = { Service = "web-backup", ServiceSubset = "stable" }
  v2  = { Datacenters = ["dc2", "dc3"] }
  "*" = { Targets = [{ Service = "web", ServiceSubset = "v2", Datacenter = "dc2" }, { Peer = "east" }] }
}

LoadBalancer {
  Policy         = "ring_hash"
  RingHashConfig = { MinimumRingSize = 1024, MaximumRingSize = 4096 }
  HashPolicies = [
    { Field = "header", FieldValue = "x-user", Terminal = true },
    { Field = "cookie", FieldValue = "session", CookieConfig = { TTL = "1h", Path = "/shop" } },
    { Field = "cookie", FieldValue = "visit", CookieConfig = { Session = true } },
    { SourceIP = true },
  ]
}

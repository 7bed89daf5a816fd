Kind = "service-resolver"
Name = "web"
Failover = {
  "*" = {
    Targets = [
      { Datacenter = "dc2" },
      { Service = "backup", ServiceSubset = "old" },
      { Service = "web", Peer = "cloud" },
    ]
  }
}

Kind = "service-resolver"
Name = "db"
Failover = {
  "*" = {
    Datacenters = ["dc2", "dc3"]
  }
}

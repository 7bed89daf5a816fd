Kind           = "service-resolver"
Name           = "web"
ConnectTimeout = "2s"
Failover = {
  "*" = {
    Service = "backup"
  }
}

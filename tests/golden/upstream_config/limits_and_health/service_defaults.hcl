Kind     = "service-defaults"
Name     = "client"
Protocol = "http"
UpstreamConfig {
  Defaults {
    Limits {
      MaxConnections        = 512
      MaxPendingRequests    = 256
      MaxConcurrentRequests = 0
    }
  }
  Overrides = [
    {
      Name = "db"
      Limits {
        MaxConnections = 3
      }
      PassiveHealthCheck {
        Interval                = "5s"
        MaxFailures             = 3
        EnforcingConsecutive5xx = 0
        MaxEjectionPercent      = 100
        BaseEjectionTime        = "10s"
      }
      BalanceOutboundConnections = "exact_balance"
    },
  ]
}

Kind = "ingress-gateway"
Name = "ingress"
Meta = { owner = "platform" }

TLS {
  Enabled       = true
  TLSMinVersion = "TLSv1_2"
  TLSMaxVersion = "TLSv1_3"
  CipherSuites  = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]
  SDS           = { ClusterName = "sds", CertResource = "example.com" }
}

Defaults {
  MaxConnections        = 1000
  MaxPendingRequests    = 100
  MaxConcurrentRequests = 500
  PassiveHealthCheck    = { Interval = "10s", MaxFailures = 5 }
}

Listeners = [
  {
    Port     = 8080
    Protocol = "http"
    TLS      = { SDS = { CertResource = "shop.example.com" } }
    Services = [
      {
        Name  = "web"
        Hosts = ["shop.example.com", "*.shop.example.com"]
        TLS   = { SDS = { ClusterName = "other-sds", CertResource = "web" } }
        Meta  = { team = "shop" }

        RequestHeaders  = { Add = { x-gateway = "ingress" } }
        ResponseHeaders = { Remove = ["server"] }

        MaxConnections        = 100
        MaxPendingRequests    = 10
        MaxConcurrentRequests = 50
        PassiveHealthCheck = {
          Interval                = "5s"
          MaxFailures             = 3
          EnforcingConsecutive5xx = 50
          MaxEjectionPercent      = 30
          BaseEjectionTime        = "20s"
        }
      },
      { Name = "*" },
    ]
  },
  { Port = 9090, Services = [{ Name = "database" }] },
]

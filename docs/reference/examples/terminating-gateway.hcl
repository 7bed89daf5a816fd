Kind = "terminating-gateway"
Name = "egress"
Meta = { owner = "platform" }

Services = [
  {
    Name                   = "billing"
    CAFile                 = "/etc/certs/ca.pem"
    CertFile               = "/etc/certs/gateway.pem"
    KeyFile                = "/etc/certs/gateway.key"
    SNI                    = "billing.example.com"
    DisableAutoHostRewrite = true
  },
  { Name = "*" },
]

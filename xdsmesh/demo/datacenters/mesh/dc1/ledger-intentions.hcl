Kind = "service-intentions"
Name = "ledger"
Sources = [
  {
    Name   = "api"
    Action = "allow"
  },
]

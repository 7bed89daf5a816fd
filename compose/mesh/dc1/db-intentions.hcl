Kind = "service-intentions"
Name = "db"
Sources = [
  {
    Name   = "api"
    Action = "allow"
  },
  {
    Name   = "web"
    Action = "deny"
  },
]

Kind = "service-intentions"
Name = "admin"
Sources = [
  {
    Name   = "client"
    Action = "allow"
  },
]

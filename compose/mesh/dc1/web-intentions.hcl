Kind = "service-intentions"
Name = "web"
Sources = [
  {
    Name   = "client"
    Action = "allow"
  },
]

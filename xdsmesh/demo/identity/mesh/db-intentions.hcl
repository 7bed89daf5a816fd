Kind = "service-intentions"
Name = "db"
Sources = [
  {
    Name = "api"
    Permissions = [
      {
        Action = "deny"
        HTTP {
          PathPrefix = "/v1/admin"
        }
      },
      {
        Action = "allow"
        HTTP {
          PathPrefix = "/v1/"
          Methods    = ["GET"]
        }
      },
    ]
  },
  {
    Name   = "web"
    Action = "deny"
  },
]

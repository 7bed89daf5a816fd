Kind = "service-intentions"
Name = "web"
Sources = [
  {
    Name = "client"
    Permissions = [
      { Action = "deny", HTTP { PathPrefix = "/admin" } },
      { Action = "allow", HTTP { PathPrefix = "/" } },
    ]
  },
  { Name = "cron", Action = "allow" },
]

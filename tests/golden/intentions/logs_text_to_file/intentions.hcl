Kind = "service-intentions"
Name = "web"
Sources = [
  { Name = "api", Action = "allow" },
  { Name = "cron", Action = "deny" },
  {
    Name = "shop"
    Permissions = [{ Action = "deny", HTTP { PathPrefix = "/admin" } }, { Action = "allow", HTTP { PathPrefix = "/" } }]
  },
  { Name = "*", Action = "deny" },
]

Kind = "service-intentions"
Name = "web"
Sources = [
  { Name = "api", Action = "allow" },
  { Name = "cron", Action = "deny" },
  { Name = "*", Action = "deny" },
]

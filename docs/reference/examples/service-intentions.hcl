Kind = "service-intentions"
Name = "api"
Meta = { owner = "platform" }

JWT {
  Providers = [
    { Name = "okta", VerifyClaims = [{ Path = ["perms", "role"], Value = "caller" }] },
  ]
}

Sources = [
  {
    Name        = "web"
    Peer        = "east"
    Type        = "consul"
    Description = "The shop reads, and its administrators write."
    Permissions = [
      {
        Action = "deny"
        HTTP   = { PathExact = "/health" }
      },
      {
        Action = "allow"
        HTTP   = { PathRegex = "/v[12]/.*", Methods = ["GET", "HEAD"] }
      },
      {
        Action = "allow"
        HTTP = {
          PathPrefix = "/admin"
          Header = [
            { Name = "x-debug", Present = true, Invert = true },
            { Name = "x-team", Exact = "shop", IgnoreCase = true },
            { Name = "x-region", Prefix = "eu-" },
            { Name = "x-mail", Suffix = "@example.com" },
            { Name = "x-roles", Contains = "admin" },
            { Name = "x-build", Regex = "[0-9]+" },
          ]
        }
        JWT = { Providers = [{ Name = "internal" }] }
      },
    ]
  },
  { Name = "*", Action = "deny" },
]

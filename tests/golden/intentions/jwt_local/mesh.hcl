services {
  name = "api"
  port = 8080
  connect = { sidecar_service = {} }
}
config_entries {
  bootstrap = [
    { Kind = "service-defaults", Name = "api", Protocol = "http" },
    {
      Kind          = "jwt-provider"
      Name          = "okta"
      Issuer        = "https://okta.example.com"
      Audiences     = ["shop"]
      JSONWebKeySet = { Local = { JWKS = "eyJrZXlzIjogW3sia3R5IjogIkVDIiwgImNydiI6ICJQLTI1NiIsICJ4IjogIk1LQkNUTkljS1VTRGlpMTF5U3MzNTI2aURaOEFpVG83VHU2S1BBcXY3RDQiLCAieSI6ICI0RXRsNlNSVzJZaUxVck41dmZ2Vkh1aHA3eDhQeGx0bVdXbGJiTTRJRnlNIiwgImFsZyI6ICJFUzI1NiIsICJraWQiOiAiMSJ9XX0=" } }
      Locations     = [{ Header = { Name = "x-token", ValuePrefix = "Token " } }, { QueryParam = { Name = "t" } }]
      Forwarding    = { HeaderName = "x-claims" }
      CacheConfig   = { Size = 50 }
    },
    {
      Kind          = "jwt-provider"
      Name          = "auth0"
      JSONWebKeySet = { Local = { JWKS = "eyJrZXlzIjogW3sia3R5IjogIkVDIiwgImNydiI6ICJQLTI1NiIsICJ4IjogIk1LQkNUTkljS1VTRGlpMTF5U3MzNTI2aURaOEFpVG83VHU2S1BBcXY3RDQiLCAieSI6ICI0RXRsNlNSVzJZaUxVck41dmZ2Vkh1aHA3eDhQeGx0bVdXbGJiTTRJRnlNIiwgImFsZyI6ICJFUzI1NiIsICJraWQiOiAiMSJ9XX0=" } }
    },
    {
      Kind          = "jwt-provider"
      Name          = "unused"
      JSONWebKeySet = { Remote = { URI = "https://unused.example.com" } }
    },
    {
      Kind = "service-intentions"
      Name = "api"
      JWT  = { Providers = [{ Name = "okta", VerifyClaims = [{ Path = ["perms", "role"], Value = "admin" }] }] }
      Sources = [
        { Name = "web", Action = "allow" },
        { Name = "bad", Action = "deny" },
        {
          Name        = "shop"
          Permissions = [{ Action = "allow", HTTP = { PathPrefix = "/a" }, JWT = { Providers = [{ Name = "auth0" }] } }]
        },
      ]
    },
  ]
}

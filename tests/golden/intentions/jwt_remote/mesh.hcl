services {
  name = "api"
  port = 8080
  connect = { sidecar_service = {} }
}
config_entries {
  bootstrap = [
    { Kind = "service-defaults", Name = "api", Protocol = "http" },
    {
      Kind             = "jwt-provider"
      Name             = "okta"
      Issuer           = "https://okta.example.com"
      ClockSkewSeconds = 10
      JSONWebKeySet = { Remote = {
        URI                 = "https://okta.example.com/keys"
        RequestTimeoutMs    = 500
        CacheDuration       = "30m"
        FetchAsynchronously = true
        RetryPolicy         = { NumRetries = 3, RetryPolicyBackOff = { MaxInterval = "500ms" } }
      } }
    },
    {
      Kind = "jwt-provider"
      Name = "inner"
      JSONWebKeySet = { Remote = {
        URI         = "http://127.0.0.5:8443/keys"
        JWKSCluster = { DiscoveryType = "STATIC", ConnectTimeout = "1s" }
      } }
    },
    {
      Kind    = "service-intentions"
      Name    = "api"
      JWT     = { Providers = [{ Name = "okta" }, { Name = "inner" }] }
      Sources = [{ Name = "web", Action = "allow" }]
    },
  ]
}

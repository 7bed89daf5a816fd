Kind = "jwt-provider"
Name = "okta"
Meta = { owner = "security" }

Issuer    = "https://example.okta.com"
Audiences = ["shop"]

JSONWebKeySet {
  Remote {
    URI                 = "https://example.okta.com/keys"
    RequestTimeoutMs    = 1500
    CacheDuration       = "30m"
    FetchAsynchronously = true
    RetryPolicy = {
      NumRetries          = 3
      RetryPolicyBackOff  = { BaseInterval = "1s", MaxInterval = "10s" }
    }
    JWKSCluster = {
      DiscoveryType   = "STRICT_DNS"
      ConnectTimeout  = "3s"
      TLSCertificates = { TrustedCA = { Filename = "/etc/ssl/ca.pem" } }
    }
  }
}

Locations = [
  { Header = { Name = "x-token", ValuePrefix = "Token ", Forward = true } },
  { QueryParam = { Name = "token" } },
  { Cookie = { Name = "session" } },
]

Forwarding       = { HeaderName = "x-claims", PadForwardPayloadHeader = true }
ClockSkewSeconds = 10
CacheConfig      = { Size = 100 }

Kind = "service-resolver"
Name = "web"
LoadBalancer = {
  Policy = "ring_hash"
  RingHashConfig = {
    MinimumRingSize = 64
    MaximumRingSize = 512
  }
  HashPolicies = [
    {
      Field      = "header"
      FieldValue = "x-user"
      Terminal   = true
    },
    {
      Field      = "cookie"
      FieldValue = "basket"
      CookieConfig = {
        TTL  = "1h30m"
        Path = "/shop"
      }
    },
    {
      Field      = "cookie"
      FieldValue = "visit"
      CookieConfig = {
        Session = true
      }
    },
    {
      Field      = "cookie"
      FieldValue = "given"
    },
    {
      Field      = "query_parameter"
      FieldValue = "id"
    },
    {
      SourceIP = true
    },
  ]
}

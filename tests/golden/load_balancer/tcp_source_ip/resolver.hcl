Kind = "service-resolver"
Name = "db"
LoadBalancer = {
  Policy = "maglev"
  HashPolicies = [
    {
      SourceIP = true
    },
  ]
}

Kind = "service-resolver"
Name = "db"
LoadBalancer = {
  Policy = "ring_hash"
  RingHashConfig = {
    MaximumRingSize = 100
  }
}

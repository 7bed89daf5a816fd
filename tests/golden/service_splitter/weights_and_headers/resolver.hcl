Kind = "service-resolver"
Name = "next"
Subsets = {
  v2 = {
    Filter = "Service.Meta.version == 2"
  }
}

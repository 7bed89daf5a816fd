Kind = "service-resolver"
Name = "backup"
Subsets = {
  old = {
    Filter = "Service.Meta.version == old"
  }
}

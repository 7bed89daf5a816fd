Kind           = "service-resolver"
Name           = "db"
DefaultSubset  = "v1"
ConnectTimeout = "2s"
Subsets = {
  v1 = { Filter = "Service.Meta.version == 1" }
  v2 = { Filter = "Service.Meta.version == 2", OnlyPassing = true }
}

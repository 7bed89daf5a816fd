Kind = "service-resolver"
Name = "old"
Redirect {
  Service = "web"
}

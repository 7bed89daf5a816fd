Kind = "service-resolver"
Name = "catalogue"

Redirect { Service = "catalogue", Peer = "east" }

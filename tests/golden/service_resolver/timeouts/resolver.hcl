Kind           = "service-resolver"
Name           = "web"
ConnectTimeout = "250ms"
RequestTimeout = "33s"

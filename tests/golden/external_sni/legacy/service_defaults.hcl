Kind        = "service-defaults"
Name        = "legacy"
Protocol    = "http"
ExternalSNI = "legacy.example.com"

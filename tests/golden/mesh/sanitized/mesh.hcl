Kind = "mesh"
HTTP { SanitizeXForwardedClientCert = true }

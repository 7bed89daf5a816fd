Kind = "file-system-certificate"
Name = "files"
Meta = { owner = "platform" }

Certificate = "/etc/certs/shop.pem"
PrivateKey  = "/etc/certs/shop.key"

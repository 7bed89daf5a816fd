Kind = "api-gateway"
Name = "edge"
Meta = { owner = "platform" }

Listeners = [
  {
    Name                = "https"
    Port                = 8443
    Protocol            = "http"
    Hostname            = "*.example.com"
    MaxRequestHeadersKB = 96
    TLS = {
      MinVersion   = "TLSv1_2"
      MaxVersion   = "TLSv1_3"
      CipherSuites = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]
      Certificates = [
        { Kind = "inline-certificate", Name = "shop", SectionName = "leaf" },
        { Kind = "file-system-certificate", Name = "files" },
      ]
    }
  },
  { Name = "database", Port = 5432, Protocol = "tcp" },
]

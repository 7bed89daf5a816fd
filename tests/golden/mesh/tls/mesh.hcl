Kind             = "mesh"
ValidateClusters = true
TLS {
  Incoming {
    TLSMinVersion = "TLSv1_3"
    ECDHCurves    = ["X25519MLKEM768", "X25519"]
  }
  Outgoing {
    TLSMinVersion = "TLSv1_2"
    CipherSuites = [
      "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
      "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
      "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    ]
    ECDHCurves = ["X25519", "P-256"]
  }
}

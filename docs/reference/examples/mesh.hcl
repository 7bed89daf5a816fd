Kind = "mesh"
Meta = { owner = "platform" }

AllowEnablingPermissiveMutualTLS = true
ValidateClusters                 = true

TransparentProxy { MeshDestinationsOnly = true }

TLS {
  Incoming {
    TLSMinVersion = "TLSv1_2"
    TLSMaxVersion = "TLSv1_3"
    CipherSuites  = ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]
    ECDHCurves    = ["X25519", "P-256"]
  }
  Outgoing { TLSMinVersion = "TLSv1_3" }
}

HTTP {
  SanitizeXForwardedClientCert = true
  Incoming {
    RequestNormalization {
      InsecureDisablePathNormalization = true
      MergeSlashes                     = true
      PathWithEscapedSlashesAction     = "REJECT_REQUEST"
      HeadersWithUnderscoresAction     = "DROP_HEADER"
    }
  }
}

Peering { PeerThroughMeshGateways = true }

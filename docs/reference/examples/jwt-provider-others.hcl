# Other places for keys and certificates; several entries in one file.
config_entries {
  bootstrap = [
    {
      Kind          = "jwt-provider"
      Name          = "keys-at-hand"
      JSONWebKeySet = { Local = { JWKS = "eyJrZXlzIjogW119" } }
    },
    {
      Kind          = "jwt-provider"
      Name          = "keys-in-a-file"
      JSONWebKeySet = { Local = { Filename = "/etc/keys.json" } }
    },
    {
      Kind = "jwt-provider"
      Name = "certificates-from-the-environment"
      JSONWebKeySet = { Remote = {
        URI         = "https://example.com/keys"
        JWKSCluster = { TLSCertificates = { TrustedCA = { EnvironmentVariable = "KEYS_CA" } } }
      } }
    },
    {
      Kind = "jwt-provider"
      Name = "certificates-in-pem"
      JSONWebKeySet = { Remote = {
        URI         = "https://example.com/keys"
        JWKSCluster = { TLSCertificates = { TrustedCA = { InlineString = "-----BEGIN CERTIFICATE-----..." } } }
      } }
    },
    {
      Kind = "jwt-provider"
      Name = "certificates-in-base64"
      JSONWebKeySet = { Remote = {
        URI         = "https://example.com/keys"
        JWKSCluster = { TLSCertificates = { TrustedCA = { InlineBytes = "LS0tLS1CRUdJTg==" } } }
      } }
    },
  ]
}

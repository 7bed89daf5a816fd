"""Certificates and the configuration of their authority, in the shapes of the HTTP API."""

from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from xdsmesh.ca.configuration import Configuration
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.leaves import IssuedLeaf
from xdsmesh.config.ca_configuration import INTERMEDIATE_LIFETIME, PROVIDER, ROOT_LIFETIME, duration_of, short

_NAME: Final = "Consul CA Primary Cert"
_UNSIGNED: Final = 2**64 - 1


def roots_body(issuer: Issuer) -> dict[str, Any]:
    """The only root there is."""
    certificate, domain = issuer.certificate, issuer.bundle.trust_domain
    root_id = _colons(certificate.fingerprint(hashes.SHA1()))  # noqa: S303 - an id, which secures nothing
    key = certificate.public_key()
    root = {
        "ID": root_id,
        "Name": _NAME,
        "SerialNumber": certificate.serial_number & _UNSIGNED,  # as Go cuts it off
        "SigningKeyID": _colons(_key_id(certificate)),
        "ExternalTrustDomain": domain.removesuffix(".consul"),
        "NotBefore": certificate.not_valid_before_utc,
        "NotAfter": certificate.not_valid_after_utc,
        "RootCert": issuer.bundle.roots_pem,
        "IntermediateCerts": None,
        "Active": True,
        "PrivateKeyType": "ec" if isinstance(key, ec.EllipticCurvePublicKey) else "rsa",
        "PrivateKeyBits": key.key_size if isinstance(key, ec.EllipticCurvePublicKey) else 0,
        "CreateIndex": issuer.revision,
        "ModifyIndex": issuer.revision,
    }
    return {"ActiveRootID": root_id, "TrustDomain": domain, "Roots": [root]}


def configuration_body(configuration: Configuration) -> dict[str, Any]:
    """How leaves are made."""
    return {
        "Provider": PROVIDER,
        "Config": {
            "LeafCertTTL": short(duration_of(configuration.leaf_lifetime)),
            "IntermediateCertTTL": short(INTERMEDIATE_LIFETIME),
            "RootCertTTL": short(ROOT_LIFETIME),
        },
        "State": None,
        "ForceWithoutCrossSigning": False,
        "CreateIndex": configuration.created,
        "ModifyIndex": configuration.modified,
    }


def leaf_body(service: str, issued: IssuedLeaf) -> dict[str, Any]:
    """A leaf with its key: a secret."""
    leaf = issued.leaf
    return {
        "SerialNumber": _colons(issued.serial_number.to_bytes((issued.serial_number.bit_length() + 7) // 8)),
        "CertPEM": leaf.chain_pem,
        "PrivateKeyPEM": leaf.key_pem,
        "Service": service,
        "ServiceURI": leaf.spiffe_id,
        "ValidAfter": leaf.not_before,
        "ValidBefore": leaf.not_after,
        "CreateIndex": issued.revision,
        "ModifyIndex": issued.revision,
    }


def _key_id(certificate: x509.Certificate) -> bytes:
    return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def _colons(data: bytes) -> str:
    return data.hex(":")

"""Private keys of the kinds that an authority may have. Pure but for the keys it draws."""

from collections.abc import Mapping
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from xdsmesh.model.trust import P256, KeyKind

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_CURVES: Final = {224: ec.SECP224R1(), 256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
_DIGESTS: Final[Mapping[int, hashes.SHA384 | hashes.SHA512]] = {384: hashes.SHA384(), 521: hashes.SHA512()}
_EXPONENT: Final = 65_537


def generate(kind: KeyKind) -> PrivateKey:
    """Make a key. One for RSA takes from a twentieth of a second to seconds; other threads run meanwhile."""
    if kind.type == "rsa":
        return rsa.generate_private_key(_EXPONENT, kind.bits)
    return ec.generate_private_key(_CURVES[kind.bits])


def leaf_kind(authority: KeyKind) -> KeyKind:
    """The kind of the keys of leaves below an authority of a kind.

    Of keys on curves stock Envoy takes only P-256 from a peer in TLS 1.2, its usual choice as a caller; of
    roots and intermediates it takes all.
    """
    return P256 if authority.type == P256.type else authority


def kind_of(certificate: x509.Certificate | x509.CertificateSigningRequest) -> KeyKind:
    """The kind of the key of a certificate, or of a request for one.

    Raises:
        ValueError: it is neither of RSA nor on an elliptic curve.
    """
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return KeyKind("rsa", key.key_size)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return KeyKind("ec", key.key_size)
    raise ValueError("the key of the certificate is neither of RSA nor on an elliptic curve")


def digest(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512:
    """What a key signs with: as strong as the key."""
    usual = hashes.SHA256()
    return usual if isinstance(key, rsa.RSAPrivateKey) else _DIGESTS.get(key.key_size, usual)


def load_key(pem: str, certificate: x509.Certificate) -> PrivateKey:
    """Read the key of a certificate.

    Raises:
        ValueError: it is none, or that of another certificate.
    """
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if (
        not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
        or key.public_key() != certificate.public_key()
    ):
        raise ValueError("the key is not that of the certificate")
    return key


def key_pem(key: PrivateKey) -> str:
    """The key as text, as Consul gives it: ``EC PRIVATE KEY`` or ``RSA PRIVATE KEY``."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()

"""Certificates: a self-signed root, and the leaves that it signs. Pure but for the keys it draws.

X.509-SVIDs: https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md; lifetimes, usages and
names are those of Consul's built-in provider.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from inspect import signature
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from xdsmesh.model.trust import Leaf

ROOT_LIFETIME: Final = timedelta(hours=87_600)
LEAF_LIFETIME: Final = timedelta(hours=72)
BACKDATED: Final = timedelta(minutes=1)
"""Certificates begin so long ago, for the sake of clocks that are slow."""


def _usage(*allowed: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in allowed for name in signature(x509.KeyUsage).parameters})


_SCHEME: Final = "spiffe://"
_CURVE: Final = ec.SECP256R1()
_CLIENT_AND_SERVER: Final = x509.ExtendedKeyUsage(
    [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
)
_ROOT_USAGE: Final = _usage("key_cert_sign", "crl_sign")
_LEAF_USAGE: Final = _usage("digital_signature", "key_encipherment", "data_encipherment", "key_agreement")


@dataclass(frozen=True, slots=True, eq=False)
class Root:
    """The certificate that a mesh trusts, and the key that signs its leaves."""

    trust_domain: str
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def certificate_pem(self) -> str:
        """The certificate, ending in a newline."""
        return _certificate_pem(self.certificate)

    @property
    def key_pem(self) -> str:
        """The private key: a secret."""
        return _key_pem(self.key)


def create_root(trust_domain: str, now: datetime) -> Root:
    """Make a root for a trust domain, valid for ten years."""
    key = ec.generate_private_key(_CURVE)
    public = key.public_key()
    serial = x509.random_serial_number()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _root_name(trust_domain, serial))])
    certificate = (
        x509.CertificateBuilder(
            subject_name=name,
            issuer_name=name,
            public_key=public,
            serial_number=serial,
            not_valid_before=now - BACKDATED,
            not_valid_after=now + ROOT_LIFETIME,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_ROOT_USAGE, critical=True)
        .add_extension(_san(_SCHEME + trust_domain), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_signed_by(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Root(trust_domain, certificate, key)


def load_root(certificate_pem: str, key_pem: str) -> Root:
    """Read a root back.

    Raises:
        ValueError: these are not the certificate of a trust domain and its key.
    """
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    key = serialization.load_pem_private_key(key_pem.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise ValueError("the key is not that of the certificate")
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    (uri,) = names.get_values_for_type(x509.UniformResourceIdentifier)
    return Root(uri.removeprefix(_SCHEME), certificate, key)


def issue_leaf(root: Root, spiffe_id: str, now: datetime, lifetime: timedelta = LEAF_LIFETIME) -> Leaf:
    """Make a key and a certificate for a service; the certificate never outlives the root.

    Raises:
        ValueError: the id is not in the root's trust domain or not ASCII, or the root has expired.
    """
    if not spiffe_id.isascii():
        raise ValueError(f"{spiffe_id} has letters that a SPIFFE id may not have: use ASCII only")
    if not spiffe_id.startswith(f"{_SCHEME}{root.trust_domain}/"):
        raise ValueError(f"{spiffe_id} is not in the trust domain {root.trust_domain}")
    if now >= root.certificate.not_valid_after_utc:
        raise ValueError(f"the root of {root.trust_domain} expired at {root.certificate.not_valid_after_utc}")
    key = ec.generate_private_key(_CURVE)
    public = key.public_key()
    certificate = (
        _leaf_template(root)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(min(now + lifetime, root.certificate.not_valid_after_utc))
        # Critical, because the subject is empty: RFC 5280, section 4.2.1.6.
        .add_extension(_san(spiffe_id), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(root.key, hashes.SHA256())
    )
    return Leaf(
        spiffe_id,
        chain_pem=_certificate_pem(certificate),
        key_pem=_key_pem(key),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


@lru_cache(maxsize=4)
def _leaf_template(root: Root) -> x509.CertificateBuilder:
    """What all leaves of a root have in common, encoded once: a thousand proxies may come at a time."""
    shared: tuple[tuple[x509.ExtensionType, bool], ...] = (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_LEAF_USAGE, True),
        (_CLIENT_AND_SERVER, False),
        (_signed_by(root.key.public_key()), False),
    )
    template = x509.CertificateBuilder(subject_name=x509.Name([]), issuer_name=root.certificate.subject)
    for extension, critical in shared:
        encoded = x509.UnrecognizedExtension(extension.oid, extension.public_bytes())
        template = template.add_extension(encoded, critical=critical)
    return template


def _root_name(trust_domain: str, serial: int) -> str:
    cluster = trust_domain.partition(".")[0][:8]
    return f"pri-{serial & 0xFFFFFFFF:08x}.consul.ca.{cluster}.consul"


def _san(uri: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)])


def _signed_by(key: ec.EllipticCurvePublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _certificate_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()

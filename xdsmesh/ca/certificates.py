"""Certificates of authorities: roots, the intermediates that they certify, and roots that they vouch for.

Pure but for the numbers it draws. X.509-SVIDs:
https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md; lifetimes, usages and names are those of
Consul's built-in provider.
"""

from datetime import datetime, timedelta
from inspect import signature
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from xdsmesh.ca.keys import PrivateKey, digest, kind_of

BACKDATED: Final = timedelta(minutes=1)
"""Certificates begin so long ago, for the sake of clocks that are slow."""

CROSS_SIGNED_LIFETIME: Final = timedelta(days=7)
"""How long a root vouches for the one that follows it."""

SCHEME: Final = "spiffe://"


def usage(*allowed: str) -> x509.KeyUsage:
    """What a key may be used for, by the names of ``x509.KeyUsage``."""
    return x509.KeyUsage(**{name: name in allowed for name in signature(x509.KeyUsage).parameters})


_AUTHORITY_USAGE: Final = usage("key_cert_sign", "crl_sign")


def create_root(trust_domain: str, key: PrivateKey, now: datetime, lifetime: timedelta) -> x509.Certificate:
    """A root of a trust domain, signed by itself."""
    name = _name("pri", trust_domain)
    builder = _authority(name, name, key.public_key(), path_length=None)
    return (
        _valid(builder, now, now + lifetime)
        .add_extension(_san(trust_domain), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, digest(key))
    )


def create_request(trust_domain: str, key: PrivateKey) -> str:
    """What an intermediate asks a root to certify, in PEM: its key, a name, and the trust domain."""
    request = x509.CertificateSigningRequestBuilder(subject_name=_name("int", trust_domain))
    signed = request.add_extension(_san(trust_domain), critical=False).sign(key, digest(key))
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def check_request(request_pem: str, trust_domain: str) -> None:
    """Make sure that somebody else's request is for an intermediate of a trust domain, and for no more.

    Raises:
        ValueError: it is not; the text says why.
    """
    request = x509.load_pem_x509_csr(request_pem.encode())
    if not request.is_signature_valid:
        raise ValueError("the request is not signed by its key")
    kind_of(request)
    if [each.value for each in request.extensions] != [_san(trust_domain)]:
        raise ValueError(f"the request is not for {SCHEME}{trust_domain} alone")


def sign_intermediate(
    root: x509.Certificate, key: PrivateKey, request_pem: str, now: datetime, lifetime: timedelta
) -> x509.Certificate:
    """Certify an intermediate, which may sign leaves and nothing else, and does not outlive the root.

    Raises:
        ValueError: the request is none, is not signed by its key, or is for another trust domain; or the root
            has expired.
    """
    request = x509.load_pem_x509_csr(request_pem.encode())
    if not request.is_signature_valid:
        raise ValueError("the request is not signed by its key")
    if _uri(request) != _uri(root):
        raise ValueError(f"the request is for {_uri(request)}, and the root of {_uri(root)}")
    end = _end(root, now, lifetime)
    builder = _authority(request.subject, root.subject, request.public_key(), path_length=0)
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        _valid(builder, now, end)
        .add_extension(names, critical=False)
        .add_extension(signed_by(root), critical=False)
        .sign(key, digest(key))
    )


def cross_sign(
    root: x509.Certificate, key: PrivateKey, other: x509.Certificate, now: datetime
) -> x509.Certificate:
    """Let a root vouch for the key of another one, for those who know only the first.

    Raises:
        ValueError: the root has expired.
    """
    end = min(_end(root, now, CROSS_SIGNED_LIFETIME), other.not_valid_after_utc)
    builder = _authority(other.subject, root.subject, other.public_key(), path_length=1, kid=key_id(other))
    for extension in other.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            builder = builder.add_extension(extension.value, extension.critical)
    return _valid(builder, now, end).add_extension(signed_by(root), critical=False).sign(key, digest(key))


def trust_domain_of(root: x509.Certificate) -> str:
    """The trust domain that stands in a root of ours.

    Raises:
        ValueError: none does.
    """
    return _uri(root).removeprefix(SCHEME)


def key_id(certificate: x509.Certificate) -> bytes:
    """The id of a certificate's key."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def signed_by(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Whose key has signed a certificate."""
    return x509.AuthorityKeyIdentifier(key_id(authority), None, None)


def to_pem(certificate: x509.Certificate) -> str:
    """A certificate as text, ending in a newline."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _authority(
    subject: x509.Name,
    issuer: x509.Name,
    key: CertificatePublicKeyTypes,
    path_length: int | None,
    kid: bytes | None = None,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_AUTHORITY_USAGE, critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier(kid) if kid else x509.SubjectKeyIdentifier.from_public_key(key),
            critical=False,
        )
    )


def _valid(builder: x509.CertificateBuilder, now: datetime, end: datetime) -> x509.CertificateBuilder:
    return builder.not_valid_before(now - BACKDATED).not_valid_after(end)


def _end(root: x509.Certificate, now: datetime, lifetime: timedelta) -> datetime:
    if now >= root.not_valid_after_utc:
        raise ValueError(f"the root expired at {root.not_valid_after_utc}")
    return min(now + lifetime, root.not_valid_after_utc)


def root_name(trust_domain: str) -> str:
    """A common name for a root, as Consul's built-in provider gives it."""
    return _common_name("pri", trust_domain)


def _name(prefix: str, trust_domain: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _common_name(prefix, trust_domain))])


def _common_name(prefix: str, trust_domain: str) -> str:
    number = x509.random_serial_number() & 0xFFFFFFFF
    cluster = trust_domain.partition(".")[0][:8]
    return f"{prefix}-{number:08x}.consul.ca.{cluster}.consul"


def _san(trust_domain: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(SCHEME + trust_domain)])


def _uri(certified: x509.Certificate | x509.CertificateSigningRequest) -> str:
    try:
        names = certified.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        (uri,) = names.get_values_for_type(x509.UniformResourceIdentifier)
    except (ValueError, x509.ExtensionNotFound) as error:
        raise ValueError("the certificate names no trust domain") from error
    return uri

"""Certificates and keys in PEM, RFC 7468, and whether they can serve as a gateway's."""

from collections.abc import Iterator
from typing import Final

from cryptography import x509
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from xdsmesh.config import paths, rules
from xdsmesh.model.address import ip_of
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

RSA_BITS: Final = range(2048, 8192 + 1)
"""Shorter keys are weak, and longer ones take seconds to use."""

_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


def pair_problems(
    certificate_path: str, certificate: str, key_path: str, private_key: str
) -> Iterator[Problem]:
    """What is wrong with a certificate, or a chain that begins with it, and its key. No text is quoted."""
    leaf, key = _certificate(certificate), _key(private_key)
    yield from rules.required(certificate_path, certificate)
    yield from rules.required(key_path, private_key)
    if leaf:
        yield from _host_problems(certificate_path, leaf)
    elif certificate:
        what = f"{paths.label(certificate_path)} is not an X.509 certificate in PEM"
        remedy = "write it whole, from -----BEGIN CERTIFICATE----- on"
        yield rules.problem(certificate_path, what, remedy, code=Code.CERTIFICATE)
    if key:
        yield from _strength_problems(key_path, key)
    elif private_key:
        what = f"{paths.label(key_path)} is not a private key in PEM without a password"
        remedy = "write it whole, from -----BEGIN on"
        yield rules.problem(key_path, what, remedy, code=Code.CERTIFICATE)
    if leaf and key and not _belongs(leaf, key):
        what = f"{paths.label(key_path)} is not the key of {paths.label(certificate_path)}"
        yield rules.problem(key_path, what, "write the key that belongs to it", code=Code.CERTIFICATE)


def _certificate(text: str) -> x509.Certificate | None:
    """The first certificate of a text whose certificates can all be read."""
    try:
        first = x509.load_pem_x509_certificates(text.encode())[0]
        first.public_key()
        _ = first.extensions
    except _UNREADABLE:
        return None
    return first


def _key(text: str) -> PrivateKeyTypes | None:
    """The key of a text. The library's own check of RSA keys takes seconds: ours is that the key works."""
    try:
        return load_pem_private_key(text.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    except _UNREADABLE:
        return None


def _strength_problems(path: str, key: PrivateKeyTypes) -> Iterator[Problem]:
    if isinstance(key, RSAPrivateKey) and key.key_size not in RSA_BITS:
        wanted = f"{RSA_BITS[0]} to {RSA_BITS[-1]}"
        what = f"{paths.label(path)} is an RSA key of {key.key_size} bits, not of {wanted}"
        yield rules.problem(path, what, "make another key", code=Code.CERTIFICATE)


def _belongs(leaf: x509.Certificate, key: PrivateKeyTypes) -> bool:
    """Whether the key is the certificate's and, if RSA, has its secret parts right too."""
    if _public(leaf.public_key()) != _public(key.public_key()):
        return False
    if not isinstance(key, RSAPrivateKey) or key.key_size not in RSA_BITS:
        return True
    try:
        key.public_key().verify(key.sign(b"", PKCS1v15(), SHA256()), b"", PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError, InternalError):
        return False
    return True


def _host_problems(path: str, leaf: x509.Certificate) -> Iterator[Problem]:
    """A gateway shows the certificate to whoever asks for one of its names."""
    for name in _names(leaf):
        if ip_of(name) is None and any(rules.host_name(path, name, wildcard=True)):
            what = f"{paths.label(path)} is for {name!r}, which is not a host name"
            yield rules.problem(path, what, "make a certificate for a host name", code=Code.CERTIFICATE)


def _names(leaf: x509.Certificate) -> list[str]:
    """The common names and DNS names; IP addresses of a certificate are bytes, and can't be wrong."""
    common = [str(part.value) for part in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return common
    return [*common, *names.get_values_for_type(x509.DNSName)]


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

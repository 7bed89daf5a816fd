"""The intermediate: the certificate whose key a server has, and the leaves that it signs.

Pure but for the numbers it draws.
"""

import ipaddress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Self

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from xdsmesh.ca.certificates import BACKDATED, SCHEME, signed_by, to_pem, usage
from xdsmesh.ca.keys import PrivateKey, digest, key_pem, load_key
from xdsmesh.model.trust import Leaf

_CLIENT_AND_SERVER: Final = x509.ExtendedKeyUsage(
    [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
)
_LEAF_USAGE: Final = usage("digital_signature", "key_encipherment", "data_encipherment", "key_agreement")


@dataclass(frozen=True, slots=True, eq=False)
class Intermediate:
    """The certificate that a root has given to a server, and its key, which signs leaves."""

    certificate: x509.Certificate
    certificate_pem: str
    key: PrivateKey = field(repr=False)

    @classmethod
    def load(cls, certificate_pem: str, key: str) -> Self:
        """Read one back; the key is PEM.

        Raises:
            ValueError: these are not a certificate and its key.
        """
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        return cls(certificate, to_pem(certificate), load_key(key, certificate))

    @property
    def key_pem(self) -> str:
        """The private key: a secret."""
        return key_pem(self.key)

    def stands_in(self, leaf: Leaf) -> bool:
        """Whether a leaf was signed by this."""
        return self.certificate_pem in leaf.chain_pem

    def check_signed_by(self, root: x509.Certificate) -> None:
        """Make sure that a root has certified this, and as an authority.

        Raises:
            ValueError: it has not.
        """
        if not self.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            raise ValueError("the certificate for the intermediate is not that of an authority")
        try:
            self.certificate.verify_directly_issued_by(root)
        except Exception as error:
            raise ValueError("the certificate for the intermediate is not signed by the root") from error


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a leaf is for: a SPIFFE id, and for a server the names and addresses that it is reached by."""

    spiffe_id: str
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signer:
    """What signs the leaves of a trust domain, and what their chains have after the leaf."""

    trust_domain: str
    intermediate: Intermediate
    chain_pem: str

    def check(self, spiffe_id: str, now: datetime) -> None:
        """Make sure that a leaf may be signed.

        Raises:
            ValueError: the id is not in the trust domain or not ASCII, or the intermediate has expired.
        """
        if not spiffe_id.isascii():
            raise ValueError(f"{spiffe_id} has letters that a SPIFFE id may not have: use ASCII only")
        if not spiffe_id.startswith(f"{SCHEME}{self.trust_domain}/"):
            raise ValueError(f"{spiffe_id} is not in the trust domain {self.trust_domain}")
        end = self.intermediate.certificate.not_valid_after_utc
        if now >= end:
            raise ValueError(f"the intermediate of {self.trust_domain}, which signs leaves, expired at {end}")

    def sign(self, subject: Subject, key: PrivateKey, now: datetime, lifetime: timedelta) -> Leaf:
        """Make the certificate of a key; it never outlives the intermediate.

        Raises:
            ValueError: see `check`.
        """
        self.check(subject.spiffe_id, now)
        public = key.public_key()
        end = min(now + lifetime, self.intermediate.certificate.not_valid_after_utc)
        certificate = (
            _leaf_template(self.intermediate)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(end)
            # Critical, because the subject is empty: RFC 5280, section 4.2.1.6.
            .add_extension(_names(subject), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self.intermediate.key, digest(self.intermediate.key))
        )
        return Leaf(
            subject.spiffe_id,
            chain_pem=to_pem(certificate) + self.chain_pem,
            key_pem=key_pem(key),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )


def _names(subject: Subject) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(
        [
            x509.UniformResourceIdentifier(subject.spiffe_id),
            *(x509.DNSName(name) for name in subject.dns_names),
            *(x509.IPAddress(ipaddress.ip_address(text)) for text in subject.ip_addresses),
        ]
    )


@lru_cache(maxsize=4)
def _leaf_template(intermediate: Intermediate) -> x509.CertificateBuilder:
    """What all its leaves have in common, encoded once: a thousand proxies may come at a time."""
    shared: tuple[tuple[x509.ExtensionType, bool], ...] = (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_LEAF_USAGE, True),
        (_CLIENT_AND_SERVER, False),
        (signed_by(intermediate.certificate), False),
    )
    template = x509.CertificateBuilder(
        subject_name=x509.Name([]), issuer_name=intermediate.certificate.subject
    )
    for extension, critical in shared:
        encoded = x509.UnrecognizedExtension(extension.oid, extension.public_bytes())
        template = template.add_extension(encoded, critical=critical)
    return template

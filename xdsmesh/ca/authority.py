"""The certificate authority of a mesh as a value: the roots that are trusted, and who signs leaves. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from xdsmesh.ca.certificates import to_pem, trust_domain_of
from xdsmesh.ca.intermediate import Intermediate, Signer
from xdsmesh.ca.keys import kind_of
from xdsmesh.model.trust import KeyKind, TrustBundle


class Standing(StrEnum):
    """What a root does. All are trusted."""

    NEXT = "next"
    """It has signed nothing yet: the proxies learn to trust it."""
    ACTIVE = "active"
    """It has certified the intermediate."""
    RETIRING = "retiring"
    """It was the active one, and leaves below it are still valid."""


@dataclass(frozen=True, slots=True)
class Root:
    """A certificate that the mesh trusts.

    ``id`` is its SHA-1 fingerprint in hexadecimal with colons. ``cross_signed_pem`` is a certificate of the
    same key by the root before it, for those who know only that one; or empty.
    """

    id: str
    certificate_pem: str
    not_before: datetime
    not_after: datetime
    kind: KeyKind
    standing: Standing
    cross_signed_pem: str = ""

    @classmethod
    def load(cls, certificate_pem: str, standing: Standing, cross_signed_pem: str = "") -> Self:
        """Read a root from PEM.

        Raises:
            ValueError: it is none, or its key is of a kind that we don't know.
        """
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        return cls(
            id=root_id(certificate),
            certificate_pem=to_pem(certificate),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            kind=kind_of(certificate),
            standing=standing,
            cross_signed_pem=cross_signed_pem,
        )

    @property
    def signs(self) -> bool:
        """Whether intermediates may be below it: not before it has become active."""
        return self.standing is not Standing.NEXT

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate, parsed."""
        return x509.load_pem_x509_certificate(self.certificate_pem.encode())


@dataclass(frozen=True, slots=True)
class Authority:
    """Whom the mesh trusts, the active root first, and which intermediate signs.

    ``created`` and ``modified`` are the revisions of the store that first and last said so.
    """

    trust_domain: str
    roots: tuple[Root, ...]
    intermediate: Intermediate
    created: int
    modified: int

    @classmethod
    def of(
        cls,
        trust_domain: str,
        roots: Iterable[Root],
        intermediate: Intermediate,
        created: int = 0,
        modified: int = 0,
    ) -> Self:
        """Put one together; without revisions, one that is to be stored.

        Raises:
            ValueError: not exactly one root is active, one is there twice, or the active one has not
                certified the intermediate for this trust domain.
        """
        ordered = tuple(sorted(roots, key=lambda root: root.standing is not Standing.ACTIVE))
        if [root.standing for root in ordered].count(Standing.ACTIVE) != 1:
            raise ValueError("not exactly one root is active")
        if len({root.id for root in ordered}) != len(ordered):
            raise ValueError("a root is there twice")
        intermediate.check_signed_by(ordered[0].certificate)
        if (found := trust_domain_of(intermediate.certificate)) != trust_domain:
            raise ValueError(f"the mesh is {trust_domain}, and its intermediate of {found}")
        return cls(trust_domain, ordered, intermediate, created, modified)

    @property
    def active(self) -> Root:
        """The root that has certified the intermediate."""
        return self.roots[0]

    @property
    def bundle(self) -> TrustBundle:
        """All roots as proxies get them, the oldest first: it stays the same when another becomes active."""
        by_age = sorted(self.roots, key=lambda root: (root.not_before, root.id))
        return TrustBundle(self.trust_domain, "".join([root.certificate_pem for root in by_age]))

    @property
    def intermediates_pem(self) -> tuple[str, ...]:
        """What stands between a leaf and whatever root its verifier knows, from the leaf on."""
        crossed = self.active.cross_signed_pem
        return (
            (self.intermediate.certificate_pem, crossed) if crossed else (self.intermediate.certificate_pem,)
        )

    @property
    def signer(self) -> Signer:
        """What signs leaves."""
        return Signer(self.trust_domain, self.intermediate, "".join(self.intermediates_pem))


def root_id(certificate: x509.Certificate) -> str:
    """The fingerprint by which Consul calls a root."""
    return certificate.fingerprint(hashes.SHA1()).hex(":")  # noqa: S303 - an id, which secures nothing

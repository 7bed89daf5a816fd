"""``inline-certificate``: a certificate that gateways show, and its key."""

from collections.abc import Iterator
from typing import ClassVar

from xdsmesh.config import rules
from xdsmesh.config.entry import Entry
from xdsmesh.config.parts.pem import pair_problems
from xdsmesh.model.errors import Problem


class InlineCertificate(Entry, frozen=True, kw_only=True):
    """A certificate that gateways show, and its key. The key is a secret: whoever reads the entry has it."""

    KIND: ClassVar[str] = "inline-certificate"
    RANK: ClassVar[int] = 0

    certificate: str = ""
    """The certificate in PEM, and those that lead from it to its root, if there are any between."""
    private_key: str = ""
    """The certificate's key in PEM, without a password; RSA keys have 2,048 to 8,192 bits."""

    def __repr__(self) -> str:
        """Without the key, since this is what ends up in logs."""
        return f"InlineCertificate(name={self.name!r})"

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        yield from pair_problems("Certificate", self.certificate, "PrivateKey", self.private_key)

    def name_problems(self) -> Iterator[Problem]:
        """What is wrong with the name, which is not a service's."""
        yield from rules.free_name("Name", self.name)

    def warnings(self) -> Iterator[str]:
        """That nothing shows it."""
        yield "gateways that open TLS are not served yet: none shows this certificate"

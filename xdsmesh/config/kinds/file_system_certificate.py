"""``file-system-certificate``: a certificate that gateways show, from files on their own machines."""

from collections.abc import Iterator
from typing import ClassVar

from xdsmesh.config import rules
from xdsmesh.config.entry import Entry
from xdsmesh.model.errors import Problem


class FileSystemCertificate(Entry, frozen=True, kw_only=True):
    """A certificate that gateways show, and its key, in files of PEM on their own machines.

    Nobody but the gateway sees the files: nothing about them is checked here.
    """

    KIND: ClassVar[str] = "file-system-certificate"
    RANK: ClassVar[int] = 0

    certificate: str = ""
    """The path of the certificate."""
    private_key: str = ""
    """The path of its key."""

    def name_problems(self) -> Iterator[Problem]:
        """What is wrong with the name, which is not a service's."""
        yield from rules.free_name("Name", self.name)

    def warnings(self) -> Iterator[str]:
        """That nothing shows it, and files that are not named."""
        yield "gateways that open TLS are not served yet: none shows this certificate"
        for label, path in (("Certificate", self.certificate), ("PrivateKey", self.private_key)):
            if not path:
                yield f"{label} names no file"

"""``terminating-gateway``: services outside the mesh that are reached through a gateway."""

from collections.abc import Iterator
from typing import ClassVar

from msgspec import field

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Entry, Shape
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem


class LinkedService(Shape, frozen=True):
    """A service outside the mesh. The files are on the gateway's machine, in PEM."""

    name: str = ""
    """The service; `*` is every service that is outside the mesh. A line of its own goes before it."""
    ca_file: str = field(default="", name="CAFile")
    """The certificates that the service's is checked against; it turns TLS on."""
    cert_file: str = ""
    """The certificate that the gateway shows."""
    key_file: str = ""
    """The key of that certificate."""
    sni: str = field(default="", name="SNI")
    """The server name that is asked for."""
    disable_auto_host_rewrite: bool = False
    """The host that callers ask for stays as it is."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the service by itself."""
        yield from rules.name_or_all(f"{path}.Name", self.name)
        files = {"CAFile": self.ca_file, "CertFile": self.cert_file, "KeyFile": self.key_file}
        missing = [label for label, value in files.items() if not value]
        if (self.cert_file or self.key_file) and missing:
            what = "CertFile and KeyFile need each other, and CAFile"
            yield rules.problem(path, what, f"add {' and '.join(missing)}", code=Code.NEEDS_ANOTHER)


class TerminatingGateway(Entry, frozen=True, kw_only=True):
    """Services outside the mesh that are reached through a gateway."""

    KIND: ClassVar[str] = "terminating-gateway"
    RANK: ClassVar[int] = 6

    services: list[LinkedService] = field(default_factory=list)
    """The services."""

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        for index, service in enumerate(self.services):
            yield from service.problems(paths.item("Services", index))
        yield from rules.unique("Services", [service.name for service in self.services], "Name")

    def warnings(self) -> Iterator[str]:
        """That nothing serves it, and certificates whose names are not checked."""
        yield "terminating gateways are not served yet: these services are not reached through one"
        for index, service in enumerate(self.services):
            if service.ca_file and not service.sni:
                path = paths.item("Services", index)
                yield f"{path} has a CAFile and no SNI: the name in the service's certificate is not checked"

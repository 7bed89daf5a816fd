"""``api-gateway``: ports where a gateway takes in connections for the routes that are bound to them."""

import re
from collections.abc import Iterator
from typing import ClassVar, Final, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Entry, Port, Shape, UInt32
from xdsmesh.config.parts.resource_reference import ResourceReference
from xdsmesh.config.parts.tls import suite_problems, version_problems
from xdsmesh.config.wording import quoted
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

PROTOCOLS: Final = ("http", "tcp")
CERTIFICATES: Final = ("inline-certificate", "file-system-certificate")

_ALL_HOSTS: Final = "*"
_MAX_NAME: Final = 253
_LISTENER: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


class APIGatewayTLS(Shape, frozen=True):
    """TLS with the callers of a listener. What is left out is Envoy's choice."""

    certificates: list[ResourceReference] = field(default_factory=list)
    """Entries with the certificates that are shown; without a kind it is `inline-certificate`."""
    min_version: str = ""
    """The oldest version that is spoken: `TLS_AUTO`, `TLSv1_0`, `TLSv1_1`, `TLSv1_2` or `TLSv1_3`."""
    max_version: str = ""
    """The newest version that is spoken."""
    cipher_suites: list[str] = field(default_factory=list)
    """The cipher suites up to TLS 1.2, the best first."""

    def normalize(self) -> Self:
        """The settings with the kind of each certificate."""
        return structs.replace(
            self, certificates=[each.or_kind(CERTIFICATES[0]) for each in self.certificates]
        )

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the settings; whether the certificates exist is not known here."""
        for index, certificate in enumerate(self.certificates):
            at = paths.item(f"{path}.Certificates", index)
            yield from rules.one_of(f"{at}.Kind", certificate.kind, CERTIFICATES)
            yield from rules.required(f"{at}.Name", certificate.name)
        given = (self.min_version, self.max_version)
        yield from version_problems((f"{path}.MinVersion", f"{path}.MaxVersion"), given)
        yield from suite_problems(f"{path}.CipherSuites", self.cipher_suites, self.min_version)


class APIGatewayListener(Shape, frozen=True):
    """A port, for one host or several."""

    ENTERPRISE: ClassVar[frozenset[str]] = frozenset({"Default", "Override"})

    name: str = ""
    """What routes call the listener: lower-case letters, digits, inner dashes, and dots between them."""
    hostname: str = ""
    """The host that callers ask for, such as `*.example.com`; empty is every host. Only for HTTP."""
    port: Port = 0
    """The port. Listeners that share it have the same host and protocol."""
    protocol: str = ""
    """`http` or `tcp`."""
    tls: APIGatewayTLS = field(default_factory=APIGatewayTLS, name="TLS")
    """TLS with callers."""
    max_request_headers_kb: UInt32 | None = field(default=None, name="MaxRequestHeadersKB")
    """How large the headers of a request may be together, in KiB."""

    def normalize(self) -> Self:
        """The listener with its protocol in lower case."""
        return structs.replace(self, protocol=self.protocol.lower(), tls=self.tls.normalize())

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the listener by itself."""
        yield from rules.required(f"{path}.Name", self.name)
        if self.name and (len(self.name) > _MAX_NAME or not _LISTENER.fullmatch(self.name)):
            what = f"Name {quoted(self.name)} is not a listener's: lower-case letters, digits, inner dashes"
            yield rules.problem(f"{path}.Name", what, "rename the listener", code=Code.NAME)
        yield from rules.port(f"{path}.Port", self.port)
        yield from rules.required(f"{path}.Protocol", self.protocol)
        yield from rules.one_of(f"{path}.Protocol", self.protocol, ("", *PROTOCOLS))
        if self.hostname and self.protocol == "tcp":
            what = "Hostname needs a listener of HTTP"
            yield rules.problem(f"{path}.Hostname", what, "remove Hostname", code=Code.NEEDS_ANOTHER)
        if self.hostname not in ("", _ALL_HOSTS):
            yield from rules.host_name(f"{path}.Hostname", self.hostname, wildcard=True)
        yield from self.tls.problems(f"{path}.TLS")


class APIGateway(Entry, frozen=True, kw_only=True):
    """Ports where a gateway takes in connections for the routes that are bound to them."""

    KIND: ClassVar[str] = "api-gateway"
    RANK: ClassVar[int] = 6
    IGNORED: ClassVar[frozenset[str]] = Entry.IGNORED | {"Status"}

    listeners: list[APIGatewayListener] = field(default_factory=list)
    """The ports; at least one."""

    def normalize(self) -> Self:
        """The entry with its listeners in canonical form."""
        return structs.replace(self, listeners=[listener.normalize() for listener in self.listeners])

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        if not self.listeners:
            what = "an api-gateway needs at least one listener"
            yield rules.problem("Listeners", what, "add Listeners", code=Code.REQUIRED)
        for index, listener in enumerate(self.listeners):
            yield from listener.problems(paths.item("Listeners", index))
        yield from rules.unique("Listeners", [listener.name for listener in self.listeners], "Name")
        yield from self._clashes()

    def warnings(self) -> Iterator[str]:
        """That nothing serves it."""
        yield "API gateways are not served yet: nothing listens on these ports"

    def _clashes(self) -> Iterator[Problem]:
        """Listeners that can't share their port."""
        first: dict[int, tuple[int, APIGatewayListener]] = {}
        for index, listener in enumerate(self.listeners):
            at, other = first.setdefault(listener.port, (index, listener))
            if listener.port and (listener.hostname, listener.protocol) != (other.hostname, other.protocol):
                what = f"Listeners[{index}] and Listeners[{at}] share a port, but not Hostname and Protocol"
                path = f"{paths.item('Listeners', index)}.Port"
                yield rules.problem(path, what, "use another port", code=Code.GIVEN_TWICE)

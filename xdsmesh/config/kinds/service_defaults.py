"""``service-defaults``: the protocol and timeouts of one service, and how it calls others."""

from collections.abc import Iterator
from typing import ClassVar, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Entry, Port, Shape, UInt32
from xdsmesh.config.parts import modes
from xdsmesh.config.parts.envoy_extension import EnvoyExtension
from xdsmesh.config.parts.expose import Expose
from xdsmesh.config.parts.mesh_gateway import MeshGateway
from xdsmesh.config.parts.transparent_proxy import TransparentProxy
from xdsmesh.config.parts.upstream_config import BALANCE, UpstreamConfiguration
from xdsmesh.config.wording import quoted
from xdsmesh.model.address import ip_of
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem


class Destination(Shape, frozen=True):
    """Addresses outside the mesh that a terminating gateway reaches."""

    addresses: list[str] = field(default_factory=list)
    """IP addresses or host names; at least one, and none twice."""
    port: Port = 0
    """The port at all of them."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the addresses and the port."""
        if not self.addresses:
            what = "Destination needs at least one address"
            yield rules.problem(f"{path}.Addresses", what, "add Addresses", code=Code.REQUIRED)
        seen: set[str] = set()
        for index, address in enumerate(self.addresses):
            at = paths.item(f"{path}.Addresses", index)
            if address in seen:
                what = f"{quoted(address)} is given twice"
                yield rules.problem(at, what, "keep one of them", code=Code.GIVEN_TWICE)
            elif ip_of(address) is None:
                yield from rules.host_name(at, address.removesuffix("."))
            seen.add(address)
        if not self.port:
            what = "Destination needs a Port, from 1 to 65535"
            yield rules.problem(f"{path}.Port", what, "add Port", code=Code.REQUIRED)


class ServiceDefaults(Entry, frozen=True, kw_only=True):
    """Settings of one service's sidecars. Times are milliseconds; 0 is "not set"."""

    KIND: ClassVar[str] = "service-defaults"
    RANK: ClassVar[int] = 2
    ENTERPRISE: ClassVar[frozenset[str]] = frozenset({"RateLimits"})

    protocol: str = ""
    """`tcp`, `http`, `http2` or `grpc`; empty is `tcp`, whatever `proxy-defaults` say."""
    local_connect_timeout_ms: UInt32 = 0
    """How long a sidecar may take to connect to its application; 0 is 5 seconds."""
    local_request_timeout_ms: UInt32 = 0
    """How long the application may take to answer; 0 is Envoy's 15 seconds."""
    max_inbound_connections: UInt32 = 0
    """How many connections the application takes at once; 0 is any number."""
    max_request_headers_kb: UInt32 | None = field(default=None, name="MaxRequestHeadersKB")
    """How large the headers of a request may be, in KiB."""
    balance_inbound_connections: str = ""
    """`exact_balance` spreads connections evenly over Envoy's threads."""
    mode: str = ""
    """How connections are taken in and made: `transparent` or `direct`."""
    mutual_tls_mode: str = field(default="", name="MutualTLSMode")
    """`strict` refuses connections without TLS; `permissive` takes them in, if `mesh` allows that."""
    transparent_proxy: TransparentProxy = TransparentProxy()
    """For the mode `transparent`."""
    mesh_gateway: MeshGateway = MeshGateway()
    """Whether calls to another datacenter go through mesh gateways."""
    expose: Expose = Expose()
    """Paths of the application that are reachable without TLS."""
    external_sni: str = field(default="", name="ExternalSNI")
    """The server name of a service outside the mesh, which makes it one."""
    upstream_config: UpstreamConfiguration | None = None
    """How this service calls others."""
    destination: Destination | None = None
    """Addresses outside the mesh that the name stands for; not together with `UpstreamConfig`."""
    envoy_extensions: list[EnvoyExtension] = field(default_factory=list)
    """Extensions that reshape the configuration, in order; those of `proxy-defaults` come first."""

    def normalize(self) -> Self:
        """The entry with lower-case protocols, and no negative timeout of an upstream."""
        return structs.replace(
            self,
            protocol=self.protocol.lower(),
            expose=self.expose.normalize(),
            upstream_config=self.upstream_config.normalize() if self.upstream_config else None,
        )

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        yield from rules.protocol("Protocol", self.protocol)
        yield from rules.one_of("BalanceInboundConnections", self.balance_inbound_connections, BALANCE)
        yield from rules.one_of("Mode", self.mode, modes.PROXY)
        yield from rules.one_of("MutualTLSMode", self.mutual_tls_mode, modes.MUTUAL_TLS)
        yield from self.mesh_gateway.problems("MeshGateway")
        yield from self.expose.problems("Expose")
        yield from rules.single_line("ExternalSNI", self.external_sni)
        if self.upstream_config:
            yield from self.upstream_config.problems("UpstreamConfig")
        if self.destination:
            yield from self.destination.problems("Destination")
        if self.destination and self.upstream_config:
            what = "Destination and UpstreamConfig exclude each other"
            remedy = "what is outside the mesh calls nobody through it: remove UpstreamConfig"
            yield rules.problem("Destination", what, remedy, code=Code.EXCLUDE_EACH_OTHER)
        for index, extension in enumerate(self.envoy_extensions):
            yield from extension.problems(paths.item("EnvoyExtensions", index))

    def warnings(self) -> Iterator[str]:
        """What is accepted and has no effect yet, or never will."""
        given = {
            "Mode": self.mode,
            "TransparentProxy": self.transparent_proxy != TransparentProxy(),
            "MutualTLSMode": self.mutual_tls_mode == modes.PERMISSIVE,
            "Expose": self.expose != Expose(),
            "Destination": self.destination,
            "EnvoyExtensions": self.envoy_extensions,
        }
        yield from (f"{label} has no effect yet" for label, value in given.items() if value)
        if self.upstream_config:
            yield from self.upstream_config.warnings("UpstreamConfig")

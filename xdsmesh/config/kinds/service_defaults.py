"""``service-defaults``: the protocol and timeouts of one service."""

from collections.abc import Iterator
from typing import ClassVar, Self

from msgspec import field, structs

from xdsmesh.config import rules
from xdsmesh.config.entry import Entry, Port, Shape, UInt32
from xdsmesh.config.parts.envoy_extension import EnvoyExtension
from xdsmesh.config.parts.expose import Expose
from xdsmesh.config.parts.mesh_gateway import MeshGateway
from xdsmesh.config.parts.transparent_proxy import TransparentProxy
from xdsmesh.config.parts.upstream_config import UpstreamConfiguration
from xdsmesh.model.errors import Problem


class Destination(Shape, frozen=True):
    """Addresses outside the mesh that a terminating gateway reaches."""

    addresses: list[str] = field(default_factory=list)
    port: Port = 0


class ServiceDefaults(Entry, frozen=True, kw_only=True):
    """Settings of one service's sidecars. Times are milliseconds; 0 is "not set"."""

    KIND: ClassVar[str] = "service-defaults"
    RANK: ClassVar[int] = 1
    ENTERPRISE: ClassVar[frozenset[str]] = frozenset({"RateLimits"})

    protocol: str = ""
    local_connect_timeout_ms: UInt32 = 0
    local_request_timeout_ms: UInt32 = 0
    max_inbound_connections: UInt32 = 0
    max_request_headers_kb: UInt32 | None = field(default=None, name="MaxRequestHeadersKB")
    balance_inbound_connections: str = ""
    mode: str = ""
    mutual_tls_mode: str = field(default="", name="MutualTLSMode")
    transparent_proxy: TransparentProxy = TransparentProxy()
    mesh_gateway: MeshGateway = MeshGateway()
    expose: Expose = Expose()
    external_sni: str = field(default="", name="ExternalSNI")
    upstream_config: UpstreamConfiguration | None = None
    destination: Destination | None = None
    envoy_extensions: list[EnvoyExtension] = field(default_factory=list)

    def normalize(self) -> Self:
        """The entry with a lower-case protocol."""
        return structs.replace(self, protocol=self.protocol.lower())

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        yield from rules.protocol("Protocol", self.protocol)

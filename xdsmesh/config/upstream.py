"""What a service definition says about the services that its application calls.

Shape: https://developer.hashicorp.com/consul/docs/reference/proxy/connect-proxy#upstream-configuration-reference.
"""

from collections.abc import Iterator
from typing import ClassVar, Final

from msgspec import field, structs

from xdsmesh.config import rules
from xdsmesh.config.entry import Opaque, Port, Shape
from xdsmesh.config.parts.mesh_gateway import MeshGateway
from xdsmesh.config.parts.upstream_config import PassiveHealthCheck, UpstreamConfig, UpstreamLimits
from xdsmesh.config.wording import quoted
from xdsmesh.model import catalog
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem

_LOOPBACK: Final = "127.0.0.1"
_LONGEST_MS: Final = 2**31 - 1
"""Twenty-four days; nobody waits for longer than that, and all that reads a duration can hold it."""
_UNSAID: Final = catalog.UpstreamSettings()


class UpstreamBlock(Shape, frozen=True):
    """The keys of an upstream's ``Config`` that we act on. Its gateway mode gives way to the upstream's.

    ``written`` is the whole of it, as it was written.
    """

    UNBUILT: ClassVar[frozenset[str]] = frozenset({"EnvoyClusterJSON", "EnvoyListenerJSON"})
    WHOLE: ClassVar[str] = "written"

    protocol: str = ""
    connect_timeout_ms: int = 0
    limits: UpstreamLimits | None = None
    passive_health_check: PassiveHealthCheck | None = None
    mesh_gateway: MeshGateway = MeshGateway()
    balance_outbound_connections: str = ""
    written: Opaque = field(default_factory=dict)

    def as_config(self) -> UpstreamConfig:
        """The same in the words of service-defaults."""
        fields = structs.asdict(self)
        del fields[self.WHOLE]
        return UpstreamConfig(**fields).normalize()


class UpstreamDefinition(Shape, frozen=True):
    """A service that the proxied application calls, and the local address where it finds it."""

    UNBUILT: ClassVar[frozenset[str]] = frozenset(
        {
            "CentrallyConfigured",
            "DestinationPeer",
            "IngressHosts",
            "LocalBindSocketMode",
            "LocalBindSocketPath",
        }
    )

    destination_name: str = ""
    destination_type: str = ""
    datacenter: str = ""
    local_bind_address: str = ""
    local_bind_port: Port = 0
    mesh_gateway: MeshGateway = MeshGateway()
    config: UpstreamBlock = field(default_factory=UpstreamBlock)

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the upstream by itself."""
        yield from rules.name(f"{path}.DestinationName", self.destination_name)
        if self.destination_type == "prepared_query":
            what = "prepared queries are not built yet"
            yield rules.problem(f"{path}.DestinationType", what, 'use "service"', code=Code.NOT_BUILT)
        elif self.destination_type not in ("", "service"):
            what = f'DestinationType must be "service", not {quoted(self.destination_type)}'
            yield rules.problem(f"{path}.DestinationType", what, code=Code.NOT_A_CHOICE)
        if self.datacenter:
            yield from rules.name(f"{path}.Datacenter", self.datacenter)
        yield from rules.address(f"{path}.LocalBindAddress", self.local_bind_address)
        if not self.local_bind_port:
            what = "an upstream needs the LocalBindPort where the application finds it"
            yield rules.problem(path, what, "add LocalBindPort", code=Code.REQUIRED)
        yield from self.mesh_gateway.problems(f"{path}.MeshGateway")
        yield from self.config.as_config().problems(f"{path}.Config")

    def upstream(self) -> catalog.Upstream:
        """The catalog's form of it."""
        config = self.config.as_config()
        if self.mesh_gateway.mode:
            config = structs.replace(config, mesh_gateway=self.mesh_gateway)
        settings = settings_of(config)
        return catalog.Upstream(
            self.destination_name,
            self.local_bind_port,
            self.local_bind_address or _LOOPBACK,
            None if settings == _UNSAID else settings,
            self.config.written,
            self.datacenter,
        )


def settings_of(config: UpstreamConfig) -> catalog.UpstreamSettings:
    """What a normalized ``UpstreamConfig`` says about how a service is called."""
    return catalog.UpstreamSettings(
        protocol=config.protocol,
        connect_timeout=Duration.of(milliseconds=min(config.connect_timeout_ms, _LONGEST_MS)),
        mesh_gateway=config.mesh_gateway.mode,
        limits=catalog.Limits(**structs.asdict(config.limits)) if config.limits else None,
        passive_health_check=(
            catalog.PassiveHealthCheck(**structs.asdict(config.passive_health_check))
            if config.passive_health_check
            else None
        ),
        balance_outbound_connections=config.balance_outbound_connections,
    )

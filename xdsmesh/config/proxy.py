"""What a service definition says about the proxy beside a service.

Shape: https://developer.hashicorp.com/consul/docs/reference/proxy/connect-proxy.
"""

from collections.abc import Iterator
from typing import ClassVar, Final, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Opaque, Port, Shape, UInt32
from xdsmesh.config.kinds.proxy_defaults import ProxyConfig
from xdsmesh.config.parts.gateway_bind import BindAddress, unknown_keys
from xdsmesh.config.parts.mesh_gateway import MeshGateway
from xdsmesh.config.parts.opaque_config import WITHOUT_EFFECT
from xdsmesh.config.upstream import UpstreamDefinition
from xdsmesh.model.catalog import NO_GATEWAY, Bind, GatewaySettings, Proxy, Upstream
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem

_LOOPBACK: Final = "127.0.0.1"


class OwnConfig(ProxyConfig, frozen=True, rename=None):
    """The keys of ``Proxy.Config`` that we act on: those of proxy-defaults, and where this proxy listens.

    Those of gateways have an older spelling too, which gives way. ``written`` is the whole of it, as it was
    written.
    """

    WHOLE: ClassVar[str] = "written"

    bind_address: str = ""
    bind_port: Port = 0
    connect_timeout_ms: UInt32 | None = None
    envoy_gateway_no_default_bind: bool | None = None
    envoy_gateway_bind_tagged_addresses: bool | None = None
    envoy_gateway_bind_addresses: dict[str, BindAddress] = field(default_factory=dict)
    envoy_mesh_gateway_no_default_bind: bool | None = None
    envoy_mesh_gateway_bind_tagged_addresses: bool | None = None
    envoy_mesh_gateway_bind_addresses: dict[str, BindAddress] = field(default_factory=dict)
    written: Opaque = field(default_factory=dict)

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the settings."""
        yield from super().problems(path)
        yield from rules.address(f"{path}.bind_address", self.bind_address)
        for name in ("envoy_gateway_bind_addresses", "envoy_mesh_gateway_bind_addresses"):
            binds: dict[str, BindAddress] = getattr(self, name)
            for label, bind in binds.items():
                yield from bind.problems(paths.key(f"{path}.{name}", label))

    def gateway_problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the settings of a gateway alone."""
        known = [*(name for name in self.__struct_fields__ if name != self.WHOLE), *WITHOUT_EFFECT]
        yield from unknown_keys(path, self.written, known)

    def gateway(self) -> GatewaySettings:
        """The settings of a gateway; a sidecar has none."""
        binds = self.envoy_gateway_bind_addresses or self.envoy_mesh_gateway_bind_addresses
        return GatewaySettings(
            no_default=_first(self.envoy_gateway_no_default_bind, self.envoy_mesh_gateway_no_default_bind),
            tagged=_first(
                self.envoy_gateway_bind_tagged_addresses, self.envoy_mesh_gateway_bind_tagged_addresses
            ),
            binds=tuple(Bind(name, each.address, each.port) for name, each in sorted(binds.items())),
            connect_timeout=_duration(self.connect_timeout_ms or None),
        )


class ProxyDefinition(Shape, frozen=True):
    """Whom a proxy stands before, whom it calls for it, and its settings."""

    UNBUILT: ClassVar[frozenset[str]] = frozenset(
        {
            "AccessLogs",
            "EnvoyExtensions",
            "Expose",
            "LocalServiceSocketPath",
            "Mode",
            "MutualTLSMode",
            "TransparentProxy",
        }
    )

    destination_service_name: str = ""
    destination_service_id: str = field(default="", name="DestinationServiceID")
    local_service_address: str = ""
    local_service_port: Port = 0
    upstreams: list[UpstreamDefinition] = field(default_factory=list)
    mesh_gateway: MeshGateway = MeshGateway()
    config: OwnConfig = field(default_factory=OwnConfig)

    def normalize(self) -> Self:
        """The proxy with a lower-case protocol."""
        config = structs.replace(self.config, protocol=self.config.protocol.lower())
        return structs.replace(self, config=config)

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the proxy, whoever it stands before."""
        yield from rules.address(f"{path}.LocalServiceAddress", self.local_service_address)
        claimed = _Claimed()
        for index, upstream in enumerate(self.upstreams):
            at = paths.item(f"{path}.Upstreams", index)
            yield from upstream.problems(at)
            yield from claimed.by(upstream.upstream(), at)
        yield from self.mesh_gateway.problems(f"{path}.MeshGateway")
        yield from self.config.problems(f"{path}.Config")

    def gateway_problems(self, path: str) -> Iterator[Problem]:
        """What is given that only a proxy before a service has."""
        given = {
            "DestinationServiceName": self.destination_service_name,
            "DestinationServiceID": self.destination_service_id,
            "LocalServiceAddress": self.local_service_address,
            "LocalServicePort": self.local_service_port,
            "Upstreams": self.upstreams,
        }
        for label in (label for label, value in given.items() if value):
            what = f"{label} is not for gateways, which stand before no single service"
            yield rules.problem(f"{path}.{label}", what, "remove it", code=Code.EXCLUDE_EACH_OTHER)
        yield from self.config.gateway_problems(f"{path}.Config")

    def proxy(self, service: str, service_id: str, port: int) -> Proxy:
        """The catalog's form of it, for the service that it stands before unless it names another.

        A gateway stands before none: its names are empty.
        """
        config = self.config
        return Proxy(
            destination_service_name=self.destination_service_name or service,
            destination_service_id=self.destination_service_id or service_id,
            local_service_address=self.local_service_address or _LOOPBACK,
            local_service_port=self.local_service_port or port,
            upstreams=tuple(upstream.upstream() for upstream in self.upstreams),
            bind_address=config.bind_address,
            bind_port=config.bind_port,
            protocol=config.protocol,
            local_connect_timeout=_duration(config.local_connect_timeout_ms),
            local_request_timeout=_duration(config.local_request_timeout_ms),
            local_idle_timeout=_duration(config.local_idle_timeout_ms),
            max_inbound_connections=config.max_inbound_connections,
            max_request_headers_kb=config.max_request_headers_kb,
            balance_inbound_connections=config.balance_inbound_connections,
            mesh_gateway=self.mesh_gateway.mode,
            gateway=NO_GATEWAY if service or self.destination_service_name else config.gateway(),
            config=config.written,
        )


class _Claimed:
    """What the upstreams of a proxy claim: each a service, and each a place to listen."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._listeners: dict[tuple[str, int], str] = {}

    def by(self, upstream: Upstream, path: str) -> Iterator[Problem]:
        """What one more upstream claims that an earlier one already has."""
        name, port = upstream.called, upstream.local_bind_port
        listener = (upstream.local_bind_address, port)
        if upstream.destination_name and name in self._names:
            what = f"the upstream {name} is given twice"
            yield rules.problem(path, what, "keep one of them", code=Code.GIVEN_TWICE)
        elif port and listener in self._listeners:
            what = f"{name} and {self._listeners[listener]} both bind {listener[0]}:{port}"
            remedy = "give one of them another LocalBindPort"
            yield rules.problem(path, what, remedy, code=Code.GIVEN_TWICE)
        self._names.add(name)
        self._listeners.setdefault(listener, name)


def _duration(milliseconds: int | None) -> Duration | None:
    return None if milliseconds is None else Duration.of(milliseconds=milliseconds)


def _first(*spellings: bool | None) -> bool:
    """What the first spelling says that says anything; not by default."""
    return next((said for said in spellings if said is not None), False)

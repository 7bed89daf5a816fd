"""``proxy-defaults``: settings of every proxy of the mesh; a single entry named ``global``."""

from collections.abc import Iterator
from typing import ClassVar, Final, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Entry, Opaque, Shape, UInt32
from xdsmesh.config.parts import modes, opaque_config
from xdsmesh.config.parts.access_logs import AccessLogs
from xdsmesh.config.parts.envoy_extension import EnvoyExtension
from xdsmesh.config.parts.expose import Expose
from xdsmesh.config.parts.mesh_gateway import MeshGateway
from xdsmesh.config.parts.transparent_proxy import TransparentProxy
from xdsmesh.config.parts.upstream_config import BALANCE
from xdsmesh.config.wording import quoted
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

NAME: Final = "global"
_BY_LOCALITY: Final = "order-by-locality"
FAILOVER_MODES: Final = ("", "sequential", _BY_LOCALITY)


class ProxyConfig(Shape, frozen=True, rename=None):
    """The keys of ``Config`` that we act on, in the snake_case that people write there, and the ``others``.

    Times are milliseconds. ``None`` is "not set"; a request timeout of 0 is "no timeout".
    """

    REST: ClassVar[str] = "others"

    protocol: str = ""
    """What services speak that have no `service-defaults`."""
    local_connect_timeout_ms: UInt32 | None = None
    """How long a sidecar may take to connect to its application."""
    local_request_timeout_ms: UInt32 | None = None
    """How long the application may take to answer; 0 is for ever."""
    local_idle_timeout_ms: UInt32 | None = None
    """How long a request may stay without any data; 0 is for ever."""
    max_inbound_connections: UInt32 | None = None
    """How many connections the application takes at once; 0 is any number."""
    max_request_headers_kb: UInt32 | None = None
    """How large the headers of a request may be, in KiB."""
    balance_inbound_connections: str = ""
    """`exact_balance` spreads connections evenly over Envoy's threads."""
    others: Opaque = field(default_factory=dict)
    """All other keys, which are kept as they are."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the settings."""
        yield from rules.protocol(f"{path}.protocol", self.protocol)
        yield from opaque_config.problems(path, self.others)

    def warnings(self, path: str) -> Iterator[str]:
        """What is accepted and has no effect, such as a key that is misspelled."""
        if self.balance_inbound_connections not in BALANCE:
            word = quoted(self.balance_inbound_connections)
            yield f'{path}.balance_inbound_connections {word} has no effect; "{BALANCE[1]}" would have one'
        fields = (name for name in self.__struct_fields__ if name != self.REST)
        yield from opaque_config.warnings(path, self.others, fields)


class FailoverPolicy(Shape, frozen=True):
    """In which order alternatives are taken."""

    mode: str = ""
    """`sequential` is as they are written; or `order-by-locality`."""
    regions: list[str] = field(default_factory=list)
    """The order of regions, for `order-by-locality`."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the mode."""
        yield from rules.one_of(f"{path}.Mode", self.mode, FAILOVER_MODES)

    def warnings(self, path: str) -> Iterator[str]:
        """What is accepted and has no effect."""
        if self.mode == _BY_LOCALITY:
            yield f"{path}.Mode has no effect yet: alternatives are taken in the order that is written"
        elif self.regions:
            yield f'{path}.Regions have no effect without Mode = "{_BY_LOCALITY}"'


class ProxyDefaults(Entry, frozen=True, kw_only=True):
    """Settings of every proxy."""

    KIND: ClassVar[str] = "proxy-defaults"
    RANK: ClassVar[int] = 1
    ENTERPRISE: ClassVar[frozenset[str]] = frozenset({"PrioritizeByLocality"})

    config: ProxyConfig = field(default_factory=ProxyConfig)
    """Settings by their names in Envoy's world; keys that mean nothing are kept."""
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
    access_logs: AccessLogs | None = None
    """Where requests are logged, and how."""
    envoy_extensions: list[EnvoyExtension] = field(default_factory=list)
    """Extensions that reshape the configuration, in order; those of `proxy-defaults` come first."""
    failover_policy: FailoverPolicy | None = None
    """In which order alternatives are taken where a `service-resolver` names some."""

    def normalize(self) -> Self:
        """The entry under its only name, with lower-case protocols."""
        config = structs.replace(self.config, protocol=self.config.protocol.lower())
        return structs.replace(self, name=self.name or NAME, config=config, expose=self.expose.normalize())

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        yield from self.config.problems("Config")
        yield from rules.one_of("Mode", self.mode, modes.PROXY)
        yield from rules.one_of("MutualTLSMode", self.mutual_tls_mode, modes.MUTUAL_TLS)
        yield from self.mesh_gateway.problems("MeshGateway")
        yield from self.expose.problems("Expose")
        if self.access_logs:
            yield from self.access_logs.problems("AccessLogs")
        if self.failover_policy:
            yield from self.failover_policy.problems("FailoverPolicy")
        for index, extension in enumerate(self.envoy_extensions):
            yield from extension.problems(paths.item("EnvoyExtensions", index))

    def warnings(self) -> Iterator[str]:
        """What is accepted and has no effect yet, or never will."""
        given = {
            "Mode": self.mode,
            "TransparentProxy": self.transparent_proxy != TransparentProxy(),
            "MutualTLSMode": self.mutual_tls_mode == modes.PERMISSIVE,
            "Expose": self.expose != Expose(),
            "EnvoyExtensions": self.envoy_extensions,
        }
        yield from (f"{label} has no effect yet" for label, value in given.items() if value)
        yield from self.config.warnings("Config")
        if self.failover_policy:
            yield from self.failover_policy.warnings("FailoverPolicy")

    def name_problems(self) -> Iterator[Problem]:
        """Whether the entry is named as if there could be several."""
        if self.name != NAME:
            what = f'there is one proxy-defaults, named "{NAME}", not {quoted(self.name)}'
            yield rules.problem("Name", what, "for one service use service-defaults", code=Code.NAME)

"""``proxy-defaults``: settings of every proxy of the mesh; a single entry named ``global``."""

from collections.abc import Iterator
from typing import ClassVar, Final, Self

from msgspec import field, structs

from xdsmesh.config import rules
from xdsmesh.config.entry import Entry, Opaque, Shape, UInt32
from xdsmesh.config.parts.access_logs import AccessLogs
from xdsmesh.config.parts.envoy_extension import EnvoyExtension
from xdsmesh.config.parts.expose import Expose
from xdsmesh.config.parts.mesh_gateway import MeshGateway
from xdsmesh.config.parts.transparent_proxy import TransparentProxy
from xdsmesh.config.wording import quoted
from xdsmesh.model.errors import Problem

NAME: Final = "global"


class ProxyConfig(Shape, frozen=True, rename=None):
    """The keys of ``Config`` that we act on, in the snake_case that people write there, and the ``others``.

    Times are milliseconds. ``None`` is "not set"; a request timeout of 0 is "no timeout".
    """

    REST: ClassVar[str] = "others"

    protocol: str = ""
    local_connect_timeout_ms: UInt32 | None = None
    local_request_timeout_ms: UInt32 | None = None
    others: Opaque = field(default_factory=dict)

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the settings."""
        yield from rules.protocol(f"{path}.protocol", self.protocol)


class FailoverPolicy(Shape, frozen=True):
    """In which order alternatives are taken."""

    mode: str = ""
    regions: list[str] = field(default_factory=list)


class ProxyDefaults(Entry, frozen=True, kw_only=True):
    """Settings of every proxy."""

    KIND: ClassVar[str] = "proxy-defaults"
    RANK: ClassVar[int] = 0
    ENTERPRISE: ClassVar[frozenset[str]] = frozenset({"PrioritizeByLocality"})

    config: ProxyConfig = field(default_factory=ProxyConfig)
    mode: str = ""
    mutual_tls_mode: str = field(default="", name="MutualTLSMode")
    transparent_proxy: TransparentProxy = TransparentProxy()
    mesh_gateway: MeshGateway = MeshGateway()
    expose: Expose = Expose()
    access_logs: AccessLogs | None = None
    envoy_extensions: list[EnvoyExtension] = field(default_factory=list)
    failover_policy: FailoverPolicy | None = None

    def normalize(self) -> Self:
        """The entry under its only name, with a lower-case protocol."""
        config = structs.replace(self.config, protocol=self.config.protocol.lower())
        return structs.replace(self, name=self.name or NAME, config=config)

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        if self.name != NAME:
            what = f'there is one proxy-defaults, named "{NAME}", not {quoted(self.name)}'
            yield rules.problem("Name", what, "for one service use service-defaults")
        yield from self.config.problems("Config")

"""What the server answers to a command, as far as the command reads it."""

from typing import Any, NamedTuple

from msgspec import Struct, field


class AgentService(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A registered instance. ``proxy`` is what a sidecar does, in Consul's words."""

    kind: str = ""
    id: str = field(name="ID")
    service: str
    address: str
    port: int
    tags: list[str]
    meta: dict[str, str]
    weights: dict[str, int]
    datacenter: str = ""
    proxy: dict[str, Any] | None = None

    @property
    def stands_before(self) -> str:
        """The id of the instance whose sidecar this is, or empty."""
        return str((self.proxy or {}).get("DestinationServiceID", ""))

    @property
    def destination(self) -> str:
        """The service whose sidecar this is, or empty."""
        return str((self.proxy or {}).get("DestinationServiceName", ""))


class Written(NamedTuple):
    """Whether something was written, and what of it will not do what its writer hopes."""

    done: bool
    warnings: tuple[str, ...]


class XdsPorts(Struct, frozen=True, rename="pascal"):
    """The bound xDS ports; not above 0 when there is no such listener."""

    plaintext: int
    tls: int = field(default=-1, name="TLS")


class XdsInfo(Struct, frozen=True, rename="pascal"):
    """Where the server speaks xDS."""

    ports: XdsPorts


class AgentConfig(Struct, frozen=True, rename="pascal"):
    """How the server was started."""

    datacenter: str


class AgentSelf(Struct, frozen=True):
    """What the server says of itself."""

    config: AgentConfig = field(name="Config")
    xds: XdsInfo = field(name="xDS")

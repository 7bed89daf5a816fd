"""What the datacenters of a mesh tell one another, and what each knows of the others."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class RemoteInstance:
    """A sidecar in another datacenter, by its wan address. ``weight`` is from 1 to 128."""

    address: str
    port: int
    weight: int = 1
    healthy: bool = True


@dataclass(frozen=True, slots=True)
class RemoteSubset:
    """The instances of a subset, sorted; its name is empty for the service without one."""

    name: str
    instances: tuple[RemoteInstance, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether any of them can take calls."""
        return any(instance.healthy for instance in self.instances)


@dataclass(frozen=True, slots=True)
class RemoteService:
    """A service that a datacenter has in the mesh: itself and its subsets, sorted by name."""

    subsets: tuple[RemoteSubset, ...]

    def subset(self, name: str) -> RemoteSubset:
        """A subset by its name; one that the datacenter does not have is empty."""
        return next((each for each in self.subsets if each.name == name), RemoteSubset(name))


@dataclass(frozen=True, slots=True, order=True)
class RemoteGateway:
    """A mesh gateway by its wan address, which may be a host name; ``id`` is that of its instance."""

    id: str
    address: str
    port: int
    healthy: bool = True


@dataclass(frozen=True, slots=True)
class RemoteGateways:
    """The mesh gateways of a datacenter, sorted.

    ``revision`` is that of the store of their own datacenter: of two words about them the later one counts.
    """

    gateways: tuple[RemoteGateway, ...] = ()
    revision: int = 0


@dataclass(frozen=True, slots=True)
class RemoteServer:
    """The control plane of a datacenter. ``default_intention_policy`` is ``allow`` or ``deny``."""

    node: str
    address: str
    version: str
    default_intention_policy: str


@dataclass(frozen=True, slots=True)
class TrustedRoot:
    """A root of the mesh as others get it, see `xdsmesh.ca.authority.Root`: certificates in PEM, no key."""

    certificate_pem: str
    standing: str
    cross_signed_pem: str = ""


@dataclass(frozen=True, slots=True)
class Trust:
    """What the primary says of whom the mesh trusts, the active root first."""

    trust_domain: str
    roots: tuple[TrustedRoot, ...]


@dataclass(frozen=True, slots=True)
class TrustReport:
    """How far the proxies of a secondary follow the trust of the primary. Roots are named by their ids.

    ``trusted`` are the roots of which all have acknowledged that they are trusted, and no others, sorted.
    ``issuing`` is the root below which all hold their leaves; empty while they get others. ``waiting`` tells
    of the proxies that have not acknowledged what is next, and why.
    """

    trusted: tuple[str, ...] = ()
    issuing: str = ""
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A datacenter of the mesh, as the primary keeps the list of them; the primary is one itself."""

    datacenter: str
    primary: bool
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """What a secondary knows of its place: the datacenter that it has joined, the primary, and when."""

    primary: str
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far another datacenter was followed: the revision of which store, and when that was heard."""

    store: str
    revision: int
    heard_at: datetime

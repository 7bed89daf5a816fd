"""The datacenters of the mesh at one moment: values for the API and the command."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from xdsmesh.federation.status import LinkState


class Category(StrEnum):
    """What a trouble is about."""

    TRUST = "trust"
    ADDRESS = "address"
    SNI = "SNI"
    INTENTION = "intention"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong: what, why, and what to do. ``stops``: it stops the link, or traffic."""

    category: Category
    what: str
    why: str
    remedy: str
    stops: bool = True


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """A mesh gateway by its wan address, as ``host:port``."""

    id: str
    address: str
    healthy: bool


@dataclass(frozen=True, slots=True)
class LinkReport:
    """The link to another datacenter. Ages and lags are in seconds; ``heard_seconds`` None: never.

    Of its store everything is here up to ``revision``, and the latest that was heard of is
    ``remote_revision``.
    """

    state: LinkState
    since: datetime
    via: str
    heard_seconds: float | None
    revision: int
    remote_revision: int
    lag_seconds: float
    error: str = ""

    @property
    def lag_revisions(self) -> int:
        """How many revisions of the other's store are missing here."""
        return max(0, self.remote_revision - self.revision)


@dataclass(frozen=True, slots=True)
class DatacenterStatus:
    """A datacenter. What is not known of another one yet is empty; ``link`` is None for the own one."""

    datacenter: str
    role: str
    node: str
    address: str
    version: str
    default_intention_policy: str
    services: int
    gateways: tuple[GatewayStatus, ...]
    link: LinkReport | None
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True)
class MeshStatus:
    """All datacenters as one of them sees them, that one first."""

    datacenter: str
    primary: str
    datacenters: tuple[DatacenterStatus, ...]

"""What the index is told: keyed values, in batches that carry the store's revision."""

from dataclasses import dataclass

from xdsmesh.model.origin import Origin

FactKey = tuple[str, ...]
"""One of ``("entry", kind, name)``, ``("node", name)``, ``("instance", node, id)``, ``("check", node, id)``,
``("token", accessor)``, ``("roots",)``, ``("default-intention-policy",)``, ``("leaf", proxy id)``; of other
datacenters ``("remote-service", datacenter, service)``, ``("remote-gateways", datacenter)``,
``("remote-server", datacenter)``, ``("member", datacenter)``, ``("membership",)``, ``("trust",)``; and
``("federation-address",)``, where the mesh gateways of this one reach its control plane."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A value that now holds for a key, or None: it is gone; and the one that held ``before``."""

    key: FactKey
    value: object | None
    origin: Origin | None = None
    before: object | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """The facts of one revision, or of several that were coalesced; then the last value of a key."""

    revision: int
    facts: tuple[Fact, ...]

"""The authority and the rotation of its root at one moment: values for the API and the command."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from xdsmesh.ca.authority import Authority, Standing
from xdsmesh.rotation.stages import Rotation, Stage
from xdsmesh.status import Laggard

_MAX_NAMED: Final = 100


@dataclass(frozen=True, slots=True)
class RootStatus:
    """A root that is trusted; ``key`` is the kind of its key, such as ``ec 256``."""

    id: str
    standing: Standing
    key: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class StageStatus:
    """A stage that has begun, and how many seconds it took; of the latest one, until now."""

    stage: Stage
    seconds: float


@dataclass(frozen=True, slots=True)
class RotationStatus:
    """A rotation: where it stands, between which roots, when it began and ended, and who asked for it.

    ``hindrance`` is what keeps the server itself from going on; it tries again.
    """

    stage: Stage
    old_root: str
    new_root: str
    began: datetime
    ended: datetime | None
    by: str
    stages: tuple[StageStatus, ...]
    hindrance: str = ""


@dataclass(frozen=True, slots=True)
class DatacenterLag:
    """A datacenter that is not as far as the rotation, and why."""

    datacenter: str
    why: str


@dataclass(frozen=True, slots=True)
class CAStatus:
    """Who is trusted, and how far the rotation is that is under way; or the last one, or None.

    ``waiting`` are the proxies that must acknowledge something before it goes on, and why each has not;
    ``unconnected`` those that are registered without a stream. Of each at most 100 are named: there are
    ``more_waiting`` and ``more_unconnected`` besides. ``datacenters`` are the other ones that it waits for.
    ``primary`` is the datacenter that has the roots; empty: this one.
    """

    trust_domain: str
    roots: tuple[RootStatus, ...]
    intermediate_not_before: datetime
    intermediate_not_after: datetime
    rotation: RotationStatus | None = None
    waiting: tuple[Laggard, ...] = ()
    more_waiting: int = 0
    unconnected: tuple[str, ...] = ()
    more_unconnected: int = 0
    datacenters: tuple[DatacenterLag, ...] = ()
    primary: str = ""

    @property
    def left_behind(self) -> frozenset[str]:
        """The proxies that a rotation does not wait for."""
        return frozenset(self.unconnected) - {each.proxy for each in self.waiting}


def ca_status(
    authority: Authority,
    rotation: RotationStatus | None,
    waiting: Sequence[Laggard],
    unconnected: Sequence[str],
) -> CAStatus:
    """All of it."""
    intermediate = authority.intermediate.certificate
    return CAStatus(
        trust_domain=authority.trust_domain,
        roots=tuple(
            RootStatus(root.id, root.standing, str(root.kind), root.not_before, root.not_after)
            for root in authority.roots
        ),
        intermediate_not_before=intermediate.not_valid_before_utc,
        intermediate_not_after=intermediate.not_valid_after_utc,
        rotation=rotation,
        waiting=tuple(waiting[:_MAX_NAMED]),
        more_waiting=max(0, len(waiting) - _MAX_NAMED),
        unconnected=tuple(unconnected[:_MAX_NAMED]),
        more_unconnected=max(0, len(unconnected) - _MAX_NAMED),
    )


def rotation_status(rotation: Rotation, hindrance: str, now: datetime) -> RotationStatus:
    """A rotation as it stands now."""
    return RotationStatus(
        stage=rotation.stage,
        old_root=rotation.old_id,
        new_root=rotation.new_id,
        began=rotation.entered[0],
        ended=None if rotation.is_under_way else rotation.entered[-1],
        by=rotation.by,
        stages=tuple(StageStatus(stage, round(spent, 3)) for stage, spent in rotation.seconds(now)),
        hindrance=hindrance,
    )

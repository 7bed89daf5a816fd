"""The authority and the rotation of its root at one moment: values for the API and the command."""

from dataclasses import dataclass
from datetime import datetime

from xdsmesh.ca.authority import Authority, Standing
from xdsmesh.rotation.stages import Rotation, Stage
from xdsmesh.status import Laggard


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
class CAStatus:
    """Who is trusted, and how far the rotation is that is under way; or the last one, or None.

    ``waiting`` are the proxies that must acknowledge something before it goes on, and why each has not;
    ``unconnected`` those that are registered without a stream. Of each at most 100 are named: there are
    ``more_waiting`` and ``more_unconnected`` besides.
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


def roots_status(authority: Authority) -> tuple[RootStatus, ...]:
    """The roots, the active one first."""
    return tuple(
        RootStatus(root.id, root.standing, str(root.kind), root.not_before, root.not_after)
        for root in authority.roots
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

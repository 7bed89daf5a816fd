"""Why a rotation does not begin, or is not taken back, and what to do instead."""

from typing import Final

from xdsmesh.model.errors import UnderWayError
from xdsmesh.rotation.stages import Rotation

_CHECK: Final = "`xdsmesh ca status` shows how far it is, and who is waited for"

NOTHING_TO_ABORT: Final = "no rotation of the root is under way: there is nothing to abort"


def under_way(rotation: Rotation) -> UnderWayError:
    """One at a time."""
    since, stage = rotation.entered[0], rotation.stage
    return UnderWayError(
        f"a rotation of the root is under way since {since:%Y-%m-%d %H:%M:%S} UTC, in its stage {stage};"
        f" start another one when it is done ({_CHECK})"
    )


def too_late(rotation: Rotation) -> UnderWayError:
    """Proxies have leaves of the new root."""
    return UnderWayError(
        f"the rotation of the root is {rotation.stage} already, and can only go on; start another one when it"
        f" is done ({_CHECK})"
    )


def changed_elsewhere() -> UnderWayError:
    """Two servers wanted to change the roots at a time."""
    return UnderWayError(f"another server has changed the roots just now: look first ({_CHECK})")

"""The latest rotation as it stands in the store: what is under way goes on after a restart."""

from datetime import datetime
from typing import Final

import msgspec

from xdsmesh.ca.stored import damaged
from xdsmesh.rotation.stages import Rotation
from xdsmesh.store.base import Put, Record

ROTATION_KEY: Final = "ca/rotation"


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The value at ``ca/rotation``."""

    old_id: str
    old_pem: str
    new_id: str
    by: str
    entered: tuple[datetime, ...]


def put(rotation: Rotation) -> Put:
    """What stores a rotation."""
    stored = _Stored(rotation.old_id, rotation.old_pem, rotation.new_id, rotation.by, rotation.entered)
    return Put(ROTATION_KEY, msgspec.json.encode(stored))


def decode(record: Record) -> Rotation:
    """The rotation that a record holds.

    Raises:
        RefusedError: it is damaged.
    """
    try:
        stored = msgspec.json.decode(record.value, type=_Stored)
    except msgspec.MsgspecError as error:
        raise damaged(f"the rotation of this mesh's root is damaged: {error}") from error
    return Rotation(**msgspec.structs.asdict(stored), modified=record.modified)

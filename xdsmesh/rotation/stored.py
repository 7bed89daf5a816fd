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
    old_configuration: bytes
    new_id: str
    by: str
    entered: tuple[datetime, ...]
    aborted: bool = False


def put(rotation: Rotation) -> Put:
    """What stores a rotation."""
    fields = {name: getattr(rotation, name) for name in _Stored.__struct_fields__}
    return Put(ROTATION_KEY, msgspec.json.encode(_Stored(**fields)))


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

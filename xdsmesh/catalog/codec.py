"""Catalog values as the store's bytes, and back. The bytes are JSON, so that a person can read a store."""

import msgspec

from xdsmesh.catalog.keys import ENTRIES, INSTANCES, entry_name, instance_id
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds import KINDS
from xdsmesh.model.catalog import Instance
from xdsmesh.model.facts import Fact
from xdsmesh.store.base import Change, Record


def encode_entry(entry: Entry) -> bytes:
    """The bytes of a config entry; its kind is in the key."""
    return msgspec.json.encode(entry, order="sorted")


def decode_entry(kind: str, data: bytes) -> Entry:
    """The config entry of some bytes."""
    return msgspec.json.decode(data, type=KINDS[kind])


def encode_instance(instance: Instance) -> bytes:
    """The bytes of an instance."""
    return msgspec.json.encode(instance, order="sorted")


def decode_instance(data: bytes) -> Instance:
    """The instance of some bytes."""
    return msgspec.json.decode(data, type=Instance)


def fact(change: Change) -> Fact | None:
    """What a change of the store says about the catalog; None when the key is not the catalog's."""
    record = change.record
    if change.key.startswith(ENTRIES):
        return Fact(("entry", *entry_name(change.key)), _entry(record), record.origin if record else None)
    if change.key.startswith(INSTANCES):
        value = decode_instance(record.value) if record else None
        return Fact(("instance", instance_id(change.key)), value, record.origin if record else None)
    return None


def _entry(record: Record | None) -> Entry | None:
    return decode_entry(entry_name(record.key)[0], record.value) if record else None

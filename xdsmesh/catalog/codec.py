"""Catalog values as the store's bytes, and back. The bytes are JSON, so that a person can read a store."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

import msgspec

from xdsmesh.catalog.keys import entry_name
from xdsmesh.catalog.stored import Stored
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds import KINDS
from xdsmesh.model.catalog import Instance, Node
from xdsmesh.model.checks import Check, CheckStatus, Health
from xdsmesh.model.federation import (
    Cursor,
    Member,
    Membership,
    RemoteGateways,
    RemoteServer,
    RemoteService,
    Trust,
    TrustReport,
)
from xdsmesh.model.token import Token
from xdsmesh.store.base import Record

T = TypeVar("T")

Federated = RemoteService | RemoteGateways | RemoteServer | Trust | TrustReport | Member | Membership | Cursor
"""What is about other datacenters, or told to them."""

_encoder: Final = msgspec.json.Encoder(order="sorted")


def encode_entry(entry: Entry) -> bytes:
    """The bytes of a config entry; its kind is in the key."""
    return _encoder.encode(entry)


def decode_entry(kind: str, data: bytes) -> Entry:
    """The config entry of some bytes."""
    return msgspec.json.decode(data, type=KINDS[kind])


def encode_node(node: Node) -> bytes:
    """The bytes of a node."""
    return _encoder.encode(node)


def encode_instance(instance: Instance) -> bytes:
    """The bytes of an instance. Its node and its checks have keys of their own; the node's name is kept."""
    bare = replace(instance, node=Node(instance.node.name, "", instance.node.datacenter), checks=())
    return _encoder.encode(bare)


def encode_check(check: Check) -> bytes:
    """The bytes of what a check is; what it says has a key of its own."""
    return _encoder.encode(replace(check, status=Health.UNSAID, output=""))


def encode_status(status: CheckStatus) -> bytes:
    """The bytes of what a check last said."""
    return _encoder.encode(status)


def encode_token(token: Token) -> bytes:
    """The bytes of a token, with the hash of its secret."""
    return _encoder.encode(token)


def encode_federated(value: Federated) -> bytes:
    """The bytes of something between datacenters; its type is in the key."""
    return _encoder.encode(value)


decode_node: Final[Callable[[bytes], Node]] = msgspec.json.Decoder(Node).decode
decode_instance: Final[Callable[[bytes], Instance]] = msgspec.json.Decoder(Instance).decode
decode_check: Final[Callable[[bytes], Check]] = msgspec.json.Decoder(Check).decode
decode_status: Final[Callable[[bytes], CheckStatus]] = msgspec.json.Decoder(CheckStatus).decode
decode_token: Final[Callable[[bytes], Token]] = msgspec.json.Decoder(Token).decode

decode_remote_service: Final[Callable[[bytes], RemoteService]] = msgspec.json.Decoder(RemoteService).decode
decode_remote_gateways: Final[Callable[[bytes], RemoteGateways]] = msgspec.json.Decoder(RemoteGateways).decode
decode_remote_server: Final[Callable[[bytes], RemoteServer]] = msgspec.json.Decoder(RemoteServer).decode
decode_trust: Final[Callable[[bytes], Trust]] = msgspec.json.Decoder(Trust).decode
decode_trust_report: Final[Callable[[bytes], TrustReport]] = msgspec.json.Decoder(TrustReport).decode
decode_member: Final[Callable[[bytes], Member]] = msgspec.json.Decoder(Member).decode
decode_membership: Final[Callable[[bytes], Membership]] = msgspec.json.Decoder(Membership).decode
decode_cursor: Final[Callable[[bytes], Cursor]] = msgspec.json.Decoder(Cursor).decode


def stored(record: Record, decode: Callable[[bytes], T]) -> Stored[T]:
    """A record with its value decoded."""
    return Stored(decode(record.value), record.origin, record.created, record.modified)


def stored_entry(record: Record) -> Stored[Entry]:
    """The config entry of a record."""
    kind, _ = entry_name(record.key)
    return stored(record, lambda data: decode_entry(kind, data))

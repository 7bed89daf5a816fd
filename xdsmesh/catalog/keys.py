"""The names of things in the store."""

from typing import Final

ENTRIES: Final = "entry/"
NODES: Final = "node/"
INSTANCES: Final = "service/"
CHECKS: Final = "check/"
STATUSES: Final = "status/"
TOKENS: Final = "token/"
SHARED: Final = "shared/"
"""What this datacenter tells the others, in the same words as `REMOTE` has it of them."""
REMOTE: Final = "remote/"
"""What the others told us: ``remote/<datacenter>/`` and the key that it has there, without ``shared/``."""
FEDERATION: Final = "federation/"
"""What is this server's own business with the others."""
GUARD: Final = "guard/entries"
"""Every write of config entries bumps this key, so that a check against all entries stays sound."""

Key = tuple[str, str]
"""What is on a node: the node's name and its own id, which is unique there."""


def entry_key(kind: str, name: str) -> str:
    """The key of a config entry."""
    return f"{ENTRIES}{kind}/{name}"


def entry_name(key: str) -> tuple[str, str]:
    """The kind and name that an entry's key stands for."""
    return _pair(key.removeprefix(ENTRIES))


def node_key(name: str) -> str:
    """The key of a node."""
    return f"{NODES}{name}"


def node_name(key: str) -> str:
    """The node that a key stands for."""
    return key.removeprefix(NODES)


def instance_key(node: str, instance_id: str) -> str:
    """The key of a service instance on a node. Names of nodes hold no slash; ids may."""
    return f"{INSTANCES}{node}/{instance_id}"


def instance_id(key: str) -> Key:
    """The node and id that an instance's key stands for."""
    return _pair(key.removeprefix(INSTANCES))


def check_key(node: str, check_id: str) -> str:
    """The key of what a check is."""
    return f"{CHECKS}{node}/{check_id}"


def status_key(node: str, check_id: str) -> str:
    """The key of what a check last said: it is the server's, whoever registered the check."""
    return f"{STATUSES}{node}/{check_id}"


def check_id(key: str) -> Key:
    """The node and id that the key of a check or of its status stands for."""
    return _pair(key.partition("/")[2])


def token_key(accessor: str) -> str:
    """The key of a token."""
    return f"{TOKENS}{accessor}"


def token_accessor(key: str) -> str:
    """The accessor of the token that a key stands for."""
    return key.removeprefix(TOKENS)


STORE_ID: Final = f"{FEDERATION}store"
"""The key of the id of this store, a UUID: its revisions are of no other one."""

MEMBERSHIP: Final = f"{FEDERATION}membership"
"""The key of a secondary's `Membership`."""

GATEWAYS: Final = "gateways"
"""What is shared: the mesh gateways of a datacenter."""

SERVER: Final = "server"
"""What is shared: the control plane of a datacenter."""

TRUST: Final = "trust"
"""What the primary shares: whom the mesh trusts."""

SERVICE: Final = "service/"
"""What is shared, by name: a service of a datacenter."""

MEMBER: Final = "member/"
"""What the primary shares, by name: a datacenter of the mesh."""

WAY: Final = "way/"
"""What the primary shares, by name: the mesh gateways of another datacenter, as it knows them."""

CURSOR: Final = "cursor"
"""The key, under that of another datacenter, of how far it was followed."""


def shared_key(what: str) -> str:
    """The key of something that this datacenter tells the others."""
    return f"{SHARED}{what}"


def remote_key(datacenter: str, what: str) -> str:
    """The key of something that another datacenter told us."""
    return f"{REMOTE}{datacenter}/{what}"


def remote_pair(key: str) -> tuple[str, str]:
    """The datacenter and what it told that a key stands for."""
    return _pair(key.removeprefix(REMOTE))


def join_token_key(token_id: str) -> str:
    """The key of a token by which a datacenter may join."""
    return f"{FEDERATION}token/{token_id}"


def _pair(text: str) -> tuple[str, str]:
    first, _, second = text.partition("/")
    return first, second

"""The names of things in the store."""

from typing import Final

ENTRIES: Final = "entry/"
NODES: Final = "node/"
INSTANCES: Final = "service/"
CHECKS: Final = "check/"
STATUSES: Final = "status/"
TOKENS: Final = "token/"
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


def _pair(text: str) -> tuple[str, str]:
    first, _, second = text.partition("/")
    return first, second

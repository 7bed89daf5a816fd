"""Commands that Consul has and xdsmesh has not, and what to use instead."""

from collections.abc import Mapping
from typing import Final

_ONE_SERVER: Final = "there is one server, and no cluster to join or leave"
_NO_ACLS: Final = (
    "it has no policies or roles; `xdsmesh token` makes tokens for services, gateways and operators"
)

WHY: Final[Mapping[str, str]] = {
    "acl": _NO_ACLS,
    "agent": "the control plane is `xdsmesh server`, and a machine with sidecars needs no agent",
    "event": "it sends no events between nodes (use a message queue)",
    "exec": "it runs nothing on nodes",
    "force-leave": _ONE_SERVER,
    "info": "`xdsmesh members`, `xdsmesh proxies` and `xdsmesh version` tell what there is",
    "join": _ONE_SERVER,
    "keyring": _ONE_SERVER,
    "kv": "it keeps services and config entries only (use a key-value store such as etcd)",
    "leave": _ONE_SERVER,
    "lock": "there are no keys to lock (use a key-value store such as etcd)",
    "login": _NO_ACLS,
    "logout": _NO_ACLS,
    "monitor": "the server logs to its standard error",
    "operator": _ONE_SERVER,
    "peering": "it doesn't call into other meshes",
    "rtt": "it doesn't measure how far nodes are from each other",
    "snapshot": "its state is one SQLite file in --data-dir (copy that)",
    "troubleshoot": "`xdsmesh proxies show ID` and `xdsmesh proxies config ID --diff` tell how it stands",
}
"""By the name of the command: a part of a sentence."""

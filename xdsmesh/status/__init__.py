"""What each proxy has been sent, has acknowledged or has rejected: values for the API and the command."""

from xdsmesh.status.registry import Progress, Registry, StreamRecord
from xdsmesh.status.types import (
    HeldConfig,
    HeldResource,
    Laggard,
    ProxyDetail,
    ProxyStatus,
    Refused,
    Rejection,
    Snapshot,
    State,
    TypeStatus,
    Waited,
)

__all__ = [
    "HeldConfig",
    "HeldResource",
    "Laggard",
    "Progress",
    "ProxyDetail",
    "ProxyStatus",
    "Refused",
    "Registry",
    "Rejection",
    "Snapshot",
    "State",
    "StreamRecord",
    "TypeStatus",
    "Waited",
]

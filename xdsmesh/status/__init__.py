"""What each proxy has been sent, has acknowledged or has rejected: values for the API and the command."""

from xdsmesh.status.registry import Registry, StreamRecord
from xdsmesh.status.types import ProxyStatus, Refused, Snapshot, State, TypeStatus

__all__ = ["ProxyStatus", "Refused", "Registry", "Snapshot", "State", "StreamRecord", "TypeStatus"]

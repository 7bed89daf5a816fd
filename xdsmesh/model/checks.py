"""Health checks: how they come to their status, and what they say. Shapes follow Consul's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from xdsmesh.model.duration import Duration

_UNSAID: Final = Duration()


class Health(StrEnum):
    """The state of a check, from best to worst; ``UNSAID`` counts as not passing."""

    PASSING = "passing"
    WARNING = "warning"
    CRITICAL = "critical"
    UNSAID = ""


class CheckType(StrEnum):
    """How a check comes to its status, in Consul's word; ``NONE``: somebody else says so."""

    NONE = ""
    TTL = "ttl"
    HTTP = "http"
    TCP = "tcp"
    UDP = "udp"
    GRPC = "grpc"
    H2PING = "h2ping"
    ALIAS = "alias"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class Probe:
    """How the server finds out a check's status. Which fields count follows from the check's type.

    ``target`` is a URL (http), ``host:port`` (tcp, udp, h2ping), ``host:port[/service]`` (grpc), or the id of
    the service that an alias stands for; an alias without one stands for the checks of ``alias_node``.
    Thresholds are consecutive results before the status changes: 0 is "at once".
    """

    target: str = ""
    interval: Duration = _UNSAID
    timeout: Duration = _UNSAID
    ttl: Duration = _UNSAID
    method: str = ""
    header: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    body: str = field(default="", repr=False)
    disable_redirects: bool = False
    use_tls: bool = False
    tls_server_name: str = ""
    tls_skip_verify: bool = False
    alias_node: str = ""
    success_before_passing: int = 0
    failures_before_warning: int = 0
    failures_before_critical: int = 0
    output_max_size: int = 4096


@dataclass(frozen=True, slots=True)
class Check:
    """A health check of an instance, or of a node if ``service_id`` is empty, and what it last said.

    ``id`` is unique on a node. Without a ``probe`` somebody else says what the status is. ``definition`` is
    what a catalog registration said about it, under Consul's keys; it is only kept and shown.
    """

    id: str
    name: str
    status: Health = Health.CRITICAL
    notes: str = ""
    output: str = ""
    service_id: str = ""
    node: str = ""
    type: CheckType = CheckType.NONE
    probe: Probe | None = None
    deregister_after: Duration = _UNSAID
    definition: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class CheckStatus:
    """What a check last said; it outlives a registration that repeats the check."""

    status: Health
    output: str = ""


def worst(checks: Iterable[Check]) -> Health:
    """The worst that some checks say, where ``UNSAID`` is critical; if there are none, passing."""
    statuses = {check.status for check in checks}
    if statuses & {Health.CRITICAL, Health.UNSAID}:
        return Health.CRITICAL
    return Health.WARNING if Health.WARNING in statuses else Health.PASSING

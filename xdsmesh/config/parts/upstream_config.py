"""How a service calls others: the limits, timeouts and modes of one upstream, or of all."""

from collections.abc import Iterator
from typing import Final, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Shape, UInt32
from xdsmesh.config.parts.mesh_gateway import MeshGateway
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem

BALANCE: Final = ("", "exact_balance")

_LONGEST_MS: Final = 2**32 - 1


class UpstreamLimits(Shape, frozen=True):
    """Circuit breakers; None is Envoy's default, and an explicit 0 is a limit too."""

    max_connections: UInt32 | None = None
    """Connections at once. Of HTTP each of Envoy's threads has one to each instance, whatever the limit."""
    max_pending_requests: UInt32 | None = None
    """Requests that wait for a connection, as those do that need a new one."""
    max_concurrent_requests: UInt32 | None = None
    """Requests at once."""


class PassiveHealthCheck(Shape, frozen=True):
    """Outlier detection; None (and zero, where there is no None) is Envoy's default. Shares are percent."""

    interval: Duration = Duration()
    """How often instances are judged."""
    max_failures: UInt32 = 0
    """How many failures in a row take an instance out."""
    enforcing_consecutive_5xx: UInt32 | None = field(default=None, name="EnforcingConsecutive5xx")
    """How likely that then happens."""
    max_ejection_percent: UInt32 | None = None
    """How many of the instances may be out at once."""
    base_ejection_time: Duration | None = None
    """How long an instance stays out, times how often it was."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the times and shares."""
        yield from rules.not_negative(f"{path}.Interval", self.interval)
        yield from rules.percentage(f"{path}.EnforcingConsecutive5xx", self.enforcing_consecutive_5xx)
        yield from rules.percentage(f"{path}.MaxEjectionPercent", self.max_ejection_percent)
        yield from rules.not_negative(f"{path}.BaseEjectionTime", self.base_ejection_time)


class UpstreamConfig(Shape, frozen=True):
    """One upstream, by its name and peer, or what holds for all when there is no name."""

    name: str = ""
    """The service that is called; only in `Overrides`."""
    peer: str = ""
    """The other mesh whose service it is; only in `Overrides`."""
    envoy_listener_json: str = field(default="", name="EnvoyListenerJSON")
    """A listener of Envoy instead of ours."""
    envoy_cluster_json: str = field(default="", name="EnvoyClusterJSON")
    """A cluster of Envoy instead of ours."""
    protocol: str = ""
    """What is spoken with it, whatever it says itself."""
    connect_timeout_ms: int = 0
    """How long connecting may take; 0 is unsaid."""
    limits: UpstreamLimits | None = None
    """Circuit breakers."""
    passive_health_check: PassiveHealthCheck | None = None
    """Outlier detection."""
    mesh_gateway: MeshGateway = MeshGateway()
    """Whether calls go through mesh gateways."""
    balance_outbound_connections: str = ""
    """`exact_balance` spreads the application's connections evenly over Envoy's threads."""

    def normalize(self) -> Self:
        """The upstream with a lower-case protocol, and no negative timeout."""
        return structs.replace(
            self, protocol=self.protocol.lower(), connect_timeout_ms=max(self.connect_timeout_ms, 0)
        )

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the upstream by itself."""
        yield from rules.protocol(f"{path}.Protocol", self.protocol)
        if self.connect_timeout_ms > _LONGEST_MS:
            what = f"ConnectTimeoutMs is at most {_LONGEST_MS}, not {self.connect_timeout_ms}"
            yield rules.problem(f"{path}.ConnectTimeoutMs", what, code=Code.OUT_OF_RANGE)
        if self.passive_health_check:
            yield from self.passive_health_check.problems(f"{path}.PassiveHealthCheck")
        yield from self.mesh_gateway.problems(f"{path}.MeshGateway")
        yield from rules.one_of(
            f"{path}.BalanceOutboundConnections", self.balance_outbound_connections, BALANCE
        )

    def warnings(self, path: str) -> Iterator[str]:
        """What is accepted and has no effect yet."""
        for label, text in (
            ("EnvoyListenerJSON", self.envoy_listener_json),
            ("EnvoyClusterJSON", self.envoy_cluster_json),
        ):
            if text:
                yield f"{path}.{label} has no effect yet"


class UpstreamConfiguration(Shape, frozen=True):
    """What holds for all upstreams of a service, and what for some of them."""

    defaults: UpstreamConfig | None = None
    """For all of them."""
    overrides: list[UpstreamConfig] = field(default_factory=list)
    """For some of them, by name."""

    def normalize(self) -> Self:
        """All of it in canonical form."""
        return structs.replace(
            self,
            defaults=self.defaults.normalize() if self.defaults else None,
            overrides=[override.normalize() for override in self.overrides],
        )

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the upstreams."""
        if self.defaults:
            yield from self._anonymous(f"{path}.Defaults", self.defaults)
            yield from self.defaults.problems(f"{path}.Defaults")
        for index, override in enumerate(self.overrides):
            at = paths.item(f"{path}.Overrides", index)
            yield from rules.name(f"{at}.Name", override.name)
            yield from rules.plain_name(f"{at}.Peer", override.peer)
            yield from override.problems(at)

    def warnings(self, path: str) -> Iterator[str]:
        """What is accepted and has no effect: yet, or because something else has it."""
        if self.defaults:
            yield from self.defaults.warnings(f"{path}.Defaults")
        seen: dict[tuple[str, str], int] = {}
        for index, override in enumerate(self.overrides):
            at = paths.item(f"{path}.Overrides", index)
            yield from override.warnings(at)
            first = seen.setdefault((override.name, override.peer), index)
            if first < index:
                yield f"{at} is for the same upstream as {path}.Overrides[{first}]: keep one of them"

    def _anonymous(self, path: str, defaults: UpstreamConfig) -> Iterator[Problem]:
        for label, value in (("Name", defaults.name), ("Peer", defaults.peer)):
            if value:
                what = f"Defaults are for all upstreams and have no {label}"
                remedy = "remove it, or move this to Overrides"
                yield rules.problem(f"{path}.{label}", what, remedy, code=Code.EXCLUDE_EACH_OTHER)

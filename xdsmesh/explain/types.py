"""What is asked, of what, and what is told: a request, what a caller's proxy holds, and an explanation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from xdsmesh.chain.types import CompiledChain
from xdsmesh.ir.types import Endpoint, HashPolicy, HeaderChanges, Protocol, Retries, UpstreamIR, Way
from xdsmesh.model.duration import Duration

Headers = tuple[tuple[str, str], ...]
"""Names and values, as they stand one after another in a request."""

SURE: Final = Fraction(1)


@dataclass(frozen=True, slots=True)
class Request:
    """A request that an application sends over HTTP/1.1 to the listener of one of its upstreams.

    ``path`` carries the query. ``host`` stands for the header of that name, which ``headers`` does not hold.
    """

    upstream: str
    path: str = "/"
    method: str = "GET"
    headers: Headers = ()
    host: str = "localhost"


@dataclass(frozen=True, slots=True)
class CompiledUpstream:
    """What a proxy holds of one upstream. ``endpoints`` are those of each cluster that finds its own."""

    ir: UpstreamIR
    endpoints: Mapping[str, tuple[Endpoint, ...]]
    chain: CompiledChain


@dataclass(frozen=True, slots=True)
class Source:
    """Who calls: a proxy, the service that it stands before, and what it holds of each upstream by name."""

    proxy: str
    service: str
    upstreams: Mapping[str, CompiledUpstream]


class UnknownUpstreamError(LookupError):
    """The source does not call this service: its sidecar has no listener for it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that Envoy gives by itself. A ``status`` of 0 closes the connection without a word."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class RouteTaken:
    """The first route that matches: its place in Envoy's list, and what it is in the config entries.

    A ``timeout`` of None is no limit. ``attempts`` is how often a request is sent at most.
    """

    index: int
    meaning: str
    timeout: Duration | None
    idle_timeout: Duration | None
    attempts: int = 1
    retries: Retries | None = None


@dataclass(frozen=True, slots=True)
class InstanceTaken:
    """An instance that may answer, or a gateway to such, with its odds among all requests of its pool."""

    address: str
    port: int
    odds: Fraction


@dataclass(frozen=True, slots=True)
class Pool:
    """The instances behind one cluster. ``odds`` are those of the pool among the requests of its leg.

    ``unhealthy`` is how many are left out. Without instances it is Envoy that answers, with 503.
    ``hashed_by`` are the parts of this request whose hash chooses the instance: equal parts, the same
    instance. The odds of instances are then those of requests that are all different, and only nearly so.
    On a ``way`` through mesh gateways it is these that are chosen from; who answers is decided behind them.
    """

    cluster: str
    service: str
    subset: str
    datacenter: str
    odds: Fraction
    instances: tuple[InstanceTaken, ...]
    unhealthy: int = 0
    hashed_by: tuple[HashPolicy, ...] = ()
    way: Way = Way.HERE


@dataclass(frozen=True, slots=True)
class LegTaken:
    """A cluster that a request may be sent to, with its odds among the requests of the route.

    ``path`` and ``headers`` are what arrives, but for what every Envoy adds by itself (``x-request-id``,
    ``x-forwarded-proto``, ``x-envoy-...``); there ``headers`` has lower-case names. ``request_changes``
    and ``response_changes`` are applied one after another.
    """

    odds: Fraction
    cluster: str
    path: str
    headers: Headers
    pools: tuple[Pool, ...]
    request_changes: tuple[HeaderChanges, ...] = ()
    response_changes: tuple[HeaderChanges, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way that a request may go, with its odds among all: an instance of a pool, or a refusal."""

    odds: Fraction
    leg: LegTaken | None
    pool: Pool | None
    instance: InstanceTaken | None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What becomes of a request. With a ``refusal`` there are no legs; a tcp upstream has no route."""

    request: Request
    protocol: Protocol
    route: RouteTaken | None = None
    legs: tuple[LegTaken, ...] = ()
    refusal: Refusal | None = None

    def outcomes(self) -> Iterator[Outcome]:
        """Every way that has odds above zero; together they are sure."""
        if self.refusal:
            yield Outcome(SURE, None, None, None, self.refusal)
        for leg in self.legs:
            for pool in leg.pools:
                odds = leg.odds * pool.odds
                for instance in pool.instances if odds else ():
                    yield Outcome(odds * instance.odds, leg, pool, instance)
                if odds and not pool.instances:
                    yield Outcome(odds, leg, pool, None, self._nobody())

    def _nobody(self) -> Refusal:
        status = 503 if self.protocol.is_http else 0
        return Refusal(status, "no healthy upstream")

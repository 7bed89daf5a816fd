"""An explanation in words, a line for each thing that is decided."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final

from xdsmesh.explain.types import Explanation, InstanceTaken, LegTaken, Pool, RouteTaken
from xdsmesh.ir.types import HeaderChanges, Way

_WAYS: Final = {
    Way.HERE: "",
    Way.DIRECT: "",
    Way.LOCAL: " through the mesh gateways here",
    Way.REMOTE: " through its mesh gateways",
}


def describe(explanation: Explanation) -> str:
    """The explanation as a text of several lines, the last without an end."""
    return "\n".join(_lines(explanation))


def _lines(explanation: Explanation) -> Iterator[str]:
    request = explanation.request
    if explanation.protocol.is_http:
        yield f"{request.method} {request.path} to {request.upstream} ({explanation.protocol})"
    else:
        yield f"a connection to {request.upstream} ({explanation.protocol})"
    if explanation.refusal:
        yield f"  answered by Envoy: {explanation.refusal.status}, {explanation.refusal.reason}"
    if explanation.route:
        yield from _indented(_route(explanation.route))
    for leg in explanation.legs:
        yield from _indented(_leg(leg))


def _route(route: RouteTaken) -> Iterator[str]:
    yield f"route {route.index}: {route.meaning}"
    yield f"  timeout {route.timeout or 'none'}, idle {route.idle_timeout or 'none'}"
    if route.retries:
        reasons = [*route.retries.conditions, *map(str, route.retries.status_codes)]
        yield f"  up to {route.attempts} attempts on {', '.join(reasons) or 'nothing'}"


def _leg(leg: LegTaken) -> Iterator[str]:
    yield f"{_percent(leg.odds)} to cluster {leg.cluster}" + (f" as {leg.path}" if leg.path else "")
    for direction, changes in (("request", leg.request_changes), ("response", leg.response_changes)):
        yield from (f"  {direction} headers: {_change(change)}" for change in changes)
    for pool in leg.pools:
        yield from _indented(_pool(pool))


def _pool(pool: Pool) -> Iterator[str]:
    subset = f"{pool.subset}." if pool.subset else ""
    left_out = f", {pool.unhealthy} unhealthy left out" if pool.unhealthy else ""
    yield f"{_percent(pool.odds)} to {subset}{pool.service} in {pool.datacenter}{_WAYS[pool.way]}{left_out}"
    if pool.hashed_by:
        parts = ", ".join(f"{policy.field} {policy.name}".rstrip() for policy in pool.hashed_by)
        yield f"  always the same instance for the same {parts}"
    yield from (f"  {_instance(instance)}" for instance in pool.instances)
    if not pool.instances:
        yield "  nobody is healthy: 503"


def _instance(instance: InstanceTaken) -> str:
    return f"{_percent(instance.odds)} {instance.address}:{instance.port}"


def _change(change: HeaderChanges) -> str:
    removed = [f"-{name}" for name in change.remove]
    return ", ".join([*removed, *_pairs("=", change.set), *_pairs("+=", change.add)])


def _pairs(sign: str, pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name}{sign}{value}" for name, value in pairs]


def _percent(odds: Fraction) -> str:
    return f"{float(odds * 100):g} %"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)

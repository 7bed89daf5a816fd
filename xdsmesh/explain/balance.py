"""Who of a cluster answers, and how likely: health, weights, and clusters that stand in for one another.

https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/load_balancing
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final

from xdsmesh.explain.types import SURE, CompiledUpstream, InstanceTaken, Pool
from xdsmesh.ir.types import (
    AggregateCluster,
    Balance,
    Endpoint,
    HashPolicy,
    MeshCluster,
    UpstreamCluster,
)

_ALL: Final = 100
_HASHING: Final = frozenset({Balance.RING_HASH, Balance.MAGLEV})
_OVERPROVISIONING: Final = 140
_TO_THE_LAST: Final = 100_000
"""What the share of healthy endpoints is multiplied by, in percent; a cluster that comes to 100 takes all.

https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/overprovisioning
"""


def pools(upstream: CompiledUpstream, cluster: str, hashed: tuple[HashPolicy, ...] = ()) -> tuple[Pool, ...]:
    """The pools behind a cluster of an upstream: its own, or those of the clusters that it is made of.

    ``hashed`` is what a request gives to those that hash.
    """
    by_name = {each.name: each for each in upstream.ir.clusters}
    members = _members(by_name[cluster], by_name)
    endpoints = [upstream.endpoints[member.name] for member in members]
    loads = priority_loads([_health(*each) for each in zip(members, endpoints, strict=True)])
    return tuple(
        replace(
            _pool(upstream, member, found),
            odds=Fraction(load, _ALL),
            hashed_by=hashed if member.load_balancing.balance in _HASHING else (),
        )
        for member, found, load in zip(members, endpoints, loads, strict=True)
    )


def priority_loads(health: Sequence[int]) -> list[int]:
    """Percent of the requests by priority, from the health of each. If nobody is healthy the first takes all.

    https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority
    """
    whole = min(sum(health), _ALL)
    if not whole:
        return [_ALL] + [0] * (len(health) - 1)
    loads: list[int] = []
    for each in health:
        loads.append(min(each * _ALL // whole, _ALL - sum(loads)))
    first = next(index for index, load in enumerate(health) if load)
    loads[first] += _ALL - sum(loads)
    return loads


def _members(cluster: UpstreamCluster, by_name: dict[str, UpstreamCluster]) -> list[MeshCluster]:
    if isinstance(cluster, AggregateCluster):
        return [each for member in cluster.members for each in _members(by_name[member], by_name)]
    return [cluster]


def _health(cluster: MeshCluster, endpoints: Sequence[Endpoint]) -> int:
    """Percent, by the number of endpoints: their weights don't matter here."""
    healthy = sum(endpoint.healthy for endpoint in endpoints)
    factor = _TO_THE_LAST if cluster.member else _OVERPROVISIONING
    return min(factor * healthy // len(endpoints), _ALL) if endpoints else 0


def _pool(upstream: CompiledUpstream, cluster: MeshCluster, endpoints: Sequence[Endpoint]) -> Pool:
    healthy = [endpoint for endpoint in endpoints if endpoint.healthy]
    return Pool(
        cluster=cluster.name,
        service=cluster.target.service,
        subset=_subset(upstream, cluster),
        datacenter=cluster.target.datacenter,
        odds=SURE,
        instances=_instances(healthy, weighted=cluster.load_balancing.balance is not Balance.RANDOM),
        unhealthy=len(endpoints) - len(healthy),
        way=cluster.target.way,
    )


def _subset(upstream: CompiledUpstream, cluster: MeshCluster) -> str:
    """The cluster knows what a subset asks for; its name stands in the chain."""
    sought = (cluster.tls.sni, cluster.target.service, cluster.target.datacenter)
    targets = upstream.chain.targets.values()
    return next((each.subset for each in targets if (each.sni, each.service, each.datacenter) == sought), "")


def _instances(healthy: Sequence[Endpoint], *, weighted: bool) -> tuple[InstanceTaken, ...]:
    weights = [endpoint.weight if weighted else 1 for endpoint in healthy]
    total = sum(weights)
    return tuple(
        InstanceTaken(endpoint.address, endpoint.port, weight * SURE / total)
        for endpoint, weight in zip(healthy, weights, strict=True)
    )

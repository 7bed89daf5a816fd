"""What a mesh gateway forwards, by the server name that a connection asks for, and where it listens.

It opens nothing: TLS ends at the sidecars behind it. What is not named here gets no answer at all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from xdsmesh.chain.names import Lookup
from xdsmesh.config.kinds.service_resolver import ServiceResolver, Subset
from xdsmesh.ir import names
from xdsmesh.ir.access_logs import AccessLogs
from xdsmesh.ir.balancing import build_load_balancing
from xdsmesh.ir.types import (
    Endpoint,
    EndpointTarget,
    GatewayCluster,
    GatewayListener,
    SniChain,
)
from xdsmesh.model.address import ip_of
from xdsmesh.model.catalog import Bind, Instance, ServiceAddress
from xdsmesh.model.duration import Duration

_NEAR: Final = Duration.of(seconds=5)
_FAR: Final = Duration.of(seconds=2)
"""How long connecting may take where nobody says; callers wait for 5 s, and a gateway tries twice."""

_ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - without an address in its registration a gateway listens on all
_DEFAULT_BIND: Final = "default"
_NO_SUBSET: Final = Subset()


@dataclass(frozen=True, slots=True)
class Destination:
    """Where connections go that ask for one of the ``server_names``.

    The addresses of the ``cluster`` are those of the ``target``, or else the gateways of ``datacenter``,
    unless they are given.
    """

    server_names: tuple[str, ...]
    cluster: GatewayCluster
    target: EndpointTarget | None = None
    datacenter: str = ""

    def stat_prefix(self, bind: str) -> str:
        """The statistics of these connections."""
        if self.target:
            return names.gateway_local(bind)
        if self.cluster.given:
            return names.gateway_local_server(bind, self.datacenter)
        return names.gateway_remote(bind, self.datacenter)


def told_apart(services: Iterable[str]) -> tuple[str, ...]:
    """Services, sorted, without those whose names are others' in upper case: only the lower one is led to.

    TLS compares server names without case, and Envoy refuses the whole listener that has one twice.
    """
    return tuple({service.lower(): service for service in sorted(services)}.values())


def to_service(
    service: str,
    datacenter: str,
    trust_domain: str,
    resolver: ServiceResolver | None,
    timeout: Duration | None,
) -> Iterator[Destination]:
    """A service of this datacenter, and each of its subsets; its own name is also its default subset's."""
    resolver = resolver or ServiceResolver(name=service)
    balancing = build_load_balancing(None if _hashes(resolver) else resolver.load_balancer)
    for name in ("", *sorted(resolver.subsets)):
        subset = resolver.subsets.get(name or resolver.default_subset, _NO_SUBSET)
        sni = Lookup(service, name, datacenter).sni(trust_domain)
        yield Destination(
            (sni,),
            GatewayCluster(sni, resolver.connect_timeout or timeout or _NEAR, load_balancing=balancing),
            EndpointTarget(service, datacenter, subset.filter, subset.only_passing),
        )


def to_datacenter(datacenter: str, trust_domain: str, timeout: Duration | None) -> Destination:
    """The gateways of another datacenter, for all that is there, its control plane included."""
    name = names.datacenter(datacenter, trust_domain)
    return Destination(
        (f"*.{name}", names.control_plane(datacenter)),
        GatewayCluster(name, timeout or _FAR, far=True),
        datacenter=datacenter,
    )


def to_control_plane(datacenter: str, address: ServiceAddress, timeout: Duration | None) -> Destination:
    """The control plane of this datacenter, where others follow it."""
    name = names.control_plane(datacenter)
    given = (Endpoint(address.address, address.port),)
    return Destination((name,), GatewayCluster(name, timeout or _NEAR, given), datacenter=datacenter)


def build_listeners(
    gateway: Instance, destinations: Iterable[Destination], access_logs: AccessLogs | None
) -> tuple[GatewayListener, ...]:
    """A listener for each place where a gateway is to listen; all forward the same.

    With nothing to forward there is none: Envoy takes no listener without chains.
    """
    everything = tuple(destinations)
    if not everything:
        return ()
    return tuple(
        GatewayListener(
            name=names.gateway_listener(bind.name, bind.address, bind.port),
            address=bind.address,
            port=bind.port,
            chains=tuple(
                SniChain(each.server_names, each.cluster.name, each.stat_prefix(bind.name))
                for each in everything
            ),
            access_logs=access_logs,
        )
        for bind in _binds(gateway)
    )


def _binds(gateway: Instance) -> Iterable[Bind]:
    """Where to listen; of several names for one place the first counts. Only IP addresses can be bound."""
    settings = gateway.proxy.gateway if gateway.proxy else None
    own = Bind(_DEFAULT_BIND, gateway.address or _ANY_ADDRESS, gateway.port)
    binds = [] if settings and settings.no_default else [own]
    if settings and settings.tagged:
        tagged = sorted(gateway.tagged_addresses.items())
        binds += [Bind(name, each.address, each.port) for name, each in tagged]
    binds += settings.binds if settings else ()
    places: dict[tuple[str, int], Bind] = {}
    for bind in binds:
        port = bind.port or gateway.port
        if ip_of(bind.address):
            places.setdefault((bind.address, port), replace(bind, port=port))
    return places.values()


def _hashes(resolver: ServiceResolver) -> bool:
    """Whether callers are told apart by what a gateway does not see."""
    return resolver.load_balancer is not None and resolver.load_balancer.is_hash_based

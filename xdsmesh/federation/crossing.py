"""The calls of this datacenter's services that lead to another one, and what keeps them from there."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from xdsmesh.catalog.intention_edits import KIND, intentions_entry
from xdsmesh.catalog.protocols import destination_protocol
from xdsmesh.catalog.view import CatalogView
from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.types import ChainRequest, CompiledChain, ReadEntry, Target
from xdsmesh.config.entry import Entry
from xdsmesh.config.intentions import Caller, Intention, intentions_of
from xdsmesh.config.kinds.proxy_defaults import ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_intentions import ALL
from xdsmesh.explain.verdict import Reason, decide
from xdsmesh.federation.report import Category, Trouble
from xdsmesh.ir.calls import build_call_settings
from xdsmesh.ir.mesh_gateway import told_apart
from xdsmesh.ir.types import Protocol
from xdsmesh.model.catalog import Kind, Proxy, Upstream
from xdsmesh.model.federation import RemoteService


class Call(NamedTuple):
    """A service that calls another one, and the mode of gateways on the way; empty: none is set."""

    caller: str
    service: str
    datacenter: str
    mode: str


def crossing_troubles(
    view: CatalogView, own: str, other: str, *, allow_by_default: bool
) -> Iterator[Trouble]:
    """What keeps calls from ``own`` away from services of ``other``, whose default policy decides there."""
    there = view.remote.services_of(other)
    calls = [call for call in _calls(view, own) if call.datacenter == other]
    for caller, service in dict.fromkeys((call.caller, call.service) for call in calls):
        found = there.get(service)
        yield from _mistaken(caller, service, other, there)
        if found is None or not any(subset.healthy for subset in found.subsets):
            yield Trouble(
                Category.ADDRESS,
                f"{caller} calls {service} in {other}, where no instance of it can take calls",
                "none is healthy" if found else "it is not in the mesh there",
                f"see `xdsmesh catalog services -datacenter {other}`, and register it there with a sidecar",
                stops=False,
            )
        yield from _denied(view, caller, service, other, allow_by_default=allow_by_default)
    yield from _without_gateway([call for call in calls if not call.mode and call.service in there])


def _without_gateway(calls: Sequence[Call]) -> Iterator[Trouble]:
    """Nobody has said how they get there, which only leads there in one network."""
    if calls:
        named = ", ".join(dict.fromkeys(f"{call.caller} calls {call.service}" for call in calls))
        yield Trouble(
            Category.ADDRESS,
            f"{named} in {calls[0].datacenter}, without a mesh gateway",
            "no mode of gateways is set, so sidecars here dial the sidecars there by their wan addresses",
            'unless these can be reached from here, write MeshGateway { Mode = "local" } in proxy-defaults;'
            ' Mode = "none" says that they can',
            stops=False,
        )


def _mistaken(caller: str, service: str, other: str, there: Mapping[str, RemoteService]) -> Iterator[Trouble]:
    alike = [each for each in there if each.lower() == service.lower()]
    if service in alike and service not in told_apart(alike):
        yield Trouble(
            Category.SNI,
            f"{caller} calls {service} in {other}, and gateways lead to {told_apart(alike)[0]} instead",
            "server names of TLS are the same in upper and in lower case",
            f"rename one of the two in {other}",
            stops=False,
        )


def lost_troubles(view: CatalogView, own: str, known: Collection[str]) -> Iterator[Trouble]:
    """The calls of ``own`` that lead to datacenters which are not ``known``."""
    for caller, service, datacenter in dict.fromkeys(call[:3] for call in _calls(view, own)):
        if datacenter not in known:
            yield Trouble(
                Category.ADDRESS,
                f"{caller} calls {service} in {datacenter}, and no datacenter is called so",
                f"there is {', '.join(known)}",
                "correct the name in the upstream or the resolver, or let it join with `xdsmesh dc join`",
                stops=False,
            )


def _calls(view: CatalogView, own: str) -> list[Call]:
    """The upstreams of sidecars, and where their chains can end, sorted."""
    upstreams = {
        (proxy.destination_service_name, (upstream.destination_name, upstream.datacenter or own), mode)
        for stored in view.instances.values()
        if stored.value.kind is Kind.CONNECT_PROXY and (proxy := stored.value.proxy)
        for upstream, mode in _upstreams(view, proxy)
    }
    targets = {called: tuple(_targets(view, *called)) for called in {called for _, called, _ in upstreams}}
    calls = {
        Call(caller, target.service, target.datacenter, mode or target.mesh_gateway)
        for caller, called, mode in upstreams
        for target in targets[called]
    }
    return sorted(calls)


def _upstreams(view: CatalogView, proxy: Proxy) -> Iterator[tuple[Upstream, str]]:
    """What a proxy calls, and the mode of gateways that it asks for; empty: it does not say."""
    read = _reader(view)
    caller = read(ServiceDefaults.KIND, proxy.destination_service_name)
    everybody = read(ProxyDefaults.KIND, "global")
    for upstream in proxy.upstreams:
        settings = build_call_settings(
            upstream,
            proxy,
            caller if isinstance(caller, ServiceDefaults) else None,
            everybody if isinstance(everybody, ProxyDefaults) else None,
        )
        yield upstream, settings.overrides.mesh_gateway if settings else ""


def _targets(view: CatalogView, service: str, datacenter: str) -> Iterator[Target]:
    """Where a chain can end, in datacenters; that does not depend on the trust domain."""
    chain = compile_chain(ChainRequest(service, datacenter, "any.consul"), _reader(view))
    if isinstance(chain, CompiledChain):
        yield from (target for target in chain.targets.values() if not target.peer)


def _reader(view: CatalogView) -> ReadEntry:
    def read(kind: str, name: str) -> Entry | None:
        stored = view.entries.get((kind, name))
        return stored.value if stored else None

    return read


def _denied(
    view: CatalogView, caller: str, service: str, other: str, *, allow_by_default: bool
) -> Iterator[Trouble]:
    protocol = destination_protocol(view, service, _reader(view)).protocol
    verdict = decide(
        _intentions_about(view, service),
        Caller(caller),
        service,
        None,
        protocol_is_http=Protocol.of(protocol).is_http,
        allow_by_default=allow_by_default,
    )
    if not verdict.allowed and verdict.reason is not Reason.PERMISSION:
        yield Trouble(
            Category.INTENTION,
            f"{caller} calls {service} in {other}, and is denied",
            verdict.sentence,
            f"if it shall be allowed: `xdsmesh intention create -allow {caller} {service}`",
            stops=False,
        )


def _intentions_about(view: CatalogView, service: str) -> list[Intention]:
    entries = (intentions_entry(view.entries.get((KIND, name))) for name in (service, ALL))
    return [each for entry in entries if entry for each in intentions_of(entry.value, origin=entry.origin)]

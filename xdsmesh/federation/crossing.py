"""The calls of this datacenter's services that lead to another one, and what keeps them from there."""

from collections.abc import Collection, Iterator, Mapping

from xdsmesh.catalog.intention_edits import KIND, intentions_entry
from xdsmesh.catalog.protocols import destination_protocol
from xdsmesh.catalog.view import CatalogView
from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.types import ChainRequest, CompiledChain
from xdsmesh.config.entry import Entry
from xdsmesh.config.intentions import Caller, Intention, intentions_of
from xdsmesh.config.kinds.service_intentions import ALL
from xdsmesh.explain.verdict import Reason, decide
from xdsmesh.federation.report import Category, Trouble
from xdsmesh.ir.mesh_gateway import told_apart
from xdsmesh.ir.types import Protocol
from xdsmesh.model.catalog import Kind
from xdsmesh.model.federation import RemoteService

Pair = tuple[str, str]
"""A service that calls, and the one that it calls."""


def crossing_troubles(
    view: CatalogView, own: str, other: str, *, allow_by_default: bool
) -> Iterator[Trouble]:
    """What keeps calls from ``own`` away from services of ``other``, whose default policy decides there."""
    there = view.remote.services_of(other)
    for caller, service in sorted(crossing_calls(view, own, other)):
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
    for caller, service, datacenter in sorted(_all_calls(view, own)):
        if datacenter not in known:
            yield Trouble(
                Category.ADDRESS,
                f"{caller} calls {service} in {datacenter}, and no datacenter is called so",
                f"there is {', '.join(known)}",
                "correct the name in the upstream or the resolver, or let it join with `xdsmesh dc join`",
                stops=False,
            )


def crossing_calls(view: CatalogView, own: str, other: str) -> set[Pair]:
    """Who calls what in the other datacenter."""
    calls = _all_calls(view, own)
    return {(caller, service) for caller, service, datacenter in calls if datacenter == other}


def _all_calls(view: CatalogView, own: str) -> set[tuple[str, str, str]]:
    """Who calls what, and where: the upstreams of sidecars, and where their chains can end."""

    def read(kind: str, name: str) -> Entry | None:
        stored = view.entries.get((kind, name))
        return stored.value if stored else None

    upstreams = {
        (proxy.destination_service_name, (upstream.destination_name, upstream.datacenter or own))
        for stored in view.instances.values()
        if stored.value.kind is Kind.CONNECT_PROXY and (proxy := stored.value.proxy)
        for upstream in proxy.upstreams
    }
    # Where chains lead does not depend on the trust domain.
    chains = {
        (name, where): compile_chain(ChainRequest(name, where, "any.consul"), read)
        for name, where in sorted({called for _, called in upstreams})
    }
    return {
        (caller, target.service, target.datacenter)
        for caller, called in upstreams
        if isinstance(chain := chains[called], CompiledChain)
        for target in chain.targets.values()
        if not target.peer
    }


def _denied(
    view: CatalogView, caller: str, service: str, other: str, *, allow_by_default: bool
) -> Iterator[Trouble]:
    def read(kind: str, name: str) -> Entry | None:
        stored = view.entries.get((kind, name))
        return stored.value if stored else None

    protocol = destination_protocol(view, service, read).protocol
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

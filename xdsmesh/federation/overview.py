"""All that is known of the datacenters of the mesh, put together; failing links are probed for the reason."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from xdsmesh.ca.server_certificate import ServerCertificate
from xdsmesh.catalog.feed import Feed
from xdsmesh.federation.crossing import crossing_troubles, lost_troubles
from xdsmesh.federation.diagnosis import (
    Probed,
    Side,
    gateway_troubles,
    link_troubles,
    policy_troubles,
)
from xdsmesh.federation.links import Links
from xdsmesh.federation.members import all_datacenters, primary_of
from xdsmesh.federation.probing import probe, probe_context
from xdsmesh.federation.report import DatacenterStatus, GatewayStatus, LinkReport, MeshStatus, Trouble
from xdsmesh.federation.routes import gateways, routes
from xdsmesh.federation.status import LinkState, LinkStatus
from xdsmesh.federation.wire import server_name
from xdsmesh.model.address import host_port
from xdsmesh.model.catalog import Instance
from xdsmesh.model.checks import Health
from xdsmesh.model.federation import RemoteServer
from xdsmesh.model.trust import TrustBundle

_ALLOW: Final = "allow"
_MAX_PROBED: Final = 8


class Overview:
    """Reports on all datacenters. ``prove_by`` tells with which certificate to probe, or nobody is probed."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that is told of
        self,
        server: RemoteServer,
        datacenter: str,
        feed: Feed,
        links: Links,
        bundle: Callable[[], TrustBundle],
        clock: Callable[[], datetime],
    ) -> None:
        self._datacenter: Final = datacenter
        self._server: Final = server
        self._feed: Final = feed
        self._view: Final = feed.view
        self._links: Final = links
        self._bundle: Final = bundle
        self._clock: Final = clock
        self._certificate: ServerCertificate | None = None

    def prove_by(self, certificate: ServerCertificate) -> None:
        """Show this certificate to whoever is probed."""
        self._certificate = certificate

    async def report(self) -> MeshStatus:
        """All datacenters as they are now. Takes some seconds when a link fails."""
        await self._feed.catch_up()
        links = {link.datacenter: link for link in self._links.status()}
        failing = [name for name, link in links.items() if link.state is not LinkState.UP]
        probed = dict(zip(failing, await asyncio.gather(*map(self._probe, failing)), strict=True))
        own = self._own_side()
        found = [self._own_status(own, has_others=bool(links))]
        for name, link in links.items():
            found.append(self._other_status(own, link, probed.get(name, ())))
        return MeshStatus(self._datacenter, self._primary, tuple(found))

    @property
    def _primary(self) -> str:
        return primary_of(self._view.remote) or self._datacenter

    async def _probe(self, datacenter: str) -> tuple[Probed, ...]:
        addresses = routes(self._view, datacenter)
        if self._certificate is None or not addresses:
            return ()
        context = probe_context(self._certificate.leaf, self._bundle())
        name = server_name(datacenter)
        return tuple(await asyncio.gather(*(probe(each, name, context) for each in addresses[:_MAX_PROBED])))

    def _own_side(self) -> Side:
        own = tuple(sorted(map(_gateway, gateways(self._view)), key=lambda each: each.id))
        return Side(self._datacenter, own, self._server.default_intention_policy)

    def _own_status(self, own: Side, *, has_others: bool) -> DatacenterStatus:
        services = tuple(self._view.by_destination.names())
        lost = lost_troubles(
            self._view, self._datacenter, all_datacenters(self._view.remote, self._datacenter)
        )
        troubles = (*(gateway_troubles(own) if has_others else ()), *lost)
        return self._status(own, self._server, len(services), None, troubles)

    def _other_status(self, own: Side, link: LinkStatus, probed: tuple[Probed, ...]) -> DatacenterStatus:
        name, remote = link.datacenter, self._view.remote
        server = remote.servers[name].value if name in remote.servers else _UNKNOWN
        known = remote.gateways[name].value.gateways if name in remote.gateways else ()
        theirs = tuple(
            GatewayStatus(each.id, host_port(each.address, each.port), each.healthy) for each in known
        )
        other = Side(name, theirs, server.default_intention_policy)
        troubles = tuple(self._troubles(own, other, link, probed))
        services = len(remote.services_of(name))
        return self._status(other, server, services, _link(link, self._clock()), troubles)

    def _troubles(
        self, own: Side, other: Side, link: LinkStatus, probed: tuple[Probed, ...]
    ) -> Iterator[Trouble]:
        yield from link_troubles(own, other, link, probed)
        yield from gateway_troubles(other)
        yield from policy_troubles(own, other)
        allow = other.default_intention_policy == _ALLOW
        yield from crossing_troubles(self._view, own.datacenter, other.datacenter, allow_by_default=allow)

    def _status(
        self,
        side: Side,
        server: RemoteServer,
        services: int,
        link: LinkReport | None,
        troubles: tuple[Trouble, ...],
    ) -> DatacenterStatus:
        return DatacenterStatus(
            datacenter=side.datacenter,
            role="primary" if side.datacenter == self._primary else "secondary",
            node=server.node,
            address=server.address,
            version=server.version,
            default_intention_policy=side.default_intention_policy,
            services=services,
            gateways=side.gateways,
            link=link,
            troubles=troubles,
        )


_UNKNOWN: Final = RemoteServer("", "", "", "")


def _gateway(instance: Instance) -> GatewayStatus:
    healthy = instance.health is not Health.CRITICAL
    return GatewayStatus(instance.id, host_port(*instance.place("wan")), healthy)


def _link(link: LinkStatus, now: datetime) -> LinkReport:
    return LinkReport(
        state=link.state,
        since=link.since,
        via=link.via,
        heard_seconds=_seconds(now, link.heard_at),
        revision=link.revision,
        remote_revision=link.remote_revision,
        lag_seconds=_seconds(now, link.behind_since) or 0.0,
        error=link.error,
    )


def _seconds(now: datetime, then: datetime | None) -> float | None:
    return None if then is None else max(0.0, round((now - then).total_seconds(), 1))

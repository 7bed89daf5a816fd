"""The story of datacenters: calls cross through gateways that cannot read them, and changes do as well."""

from functools import partial
from typing import Final

from xdsmesh.demo.datacenters.changes import change
from xdsmesh.demo.datacenters.checks import Findings, Promise, Sighting, problems, report
from xdsmesh.demo.datacenters.gateways import keys_of
from xdsmesh.demo.datacenters.knocks import knocks
from xdsmesh.demo.datacenters.layout import (
    API,
    DB,
    DC1,
    DC2,
    GATEWAY_1,
    GATEWAY_2,
    INTENTIONS,
    LEDGER,
    PATH,
    TAP_HOST,
    TEXTS,
    WEB,
)
from xdsmesh.demo.datacenters.show import show_findings, show_topology
from xdsmesh.demo.datacenters.side import Side, side
from xdsmesh.demo.datacenters.spy import Spy
from xdsmesh.demo.datacenters.starting import join, start_control_planes, start_envoys
from xdsmesh.demo.datacenters.visits import upstream_url, visits
from xdsmesh.demo.network import Network
from xdsmesh.demo.stage import Outcome, Scene
from xdsmesh.model.trust import service_spiffe_id

_GATEWAYS: Final = (GATEWAY_1, GATEWAY_2)


class Datacenters:
    """Two datacenters, each with a control plane and a mesh gateway, and a spy between the gateways."""

    async def play(self, scene: Scene) -> Outcome:
        """See `Story.play`."""
        network, show = scene.network, scene.show
        async with (
            side(scene, DC1, GATEWAY_1) as dc1,
            side(scene, DC2, GATEWAY_2) as dc2,
        ):
            between, beside = await _spies(scene)
            server_2 = await start_control_planes(scene, dc1, dc2)
            await start_envoys(scene, dc1, dc2)
            await join(scene, dc1, dc2, between)
            show_topology(show, network, dc1, dc2)
            trust_domain = await dc1.control.trust_domain()
            with show.step("call through the sidecars and the gateways"):
                called = await visits(network, dc1.control, dc2.control)
            with show.step(f"knock at {GATEWAY_2.proxy}, and look for keys in both gateways"):
                knocked = await knocks(network, dc2, trust_domain)
                keys = {each.proxy: await keys_of(network, each.host) for each in _GATEWAYS}
                keys_of_db = await keys_of(network, DB.host)
            changes = await change(scene, dc1, dc2, server_2)
            found = Findings(
                (*called, *knocked), _sighting(between), _sighting(beside), keys, keys_of_db, changes
            )
            config = dc1.running.config
            return Outcome(
                tuple(problems(found, _promise(trust_domain))),
                report(found),
                partial(show_findings, show, found, config),
                _commands(network, dc1, dc2),
            )


async def _spies(scene: Scene) -> tuple[Spy, Spy]:
    """One spy where the gateways are known outside, and one between api and its Envoy."""
    network = scene.network
    between, beside = [await scene.lasting.enter_async_context(Spy(TEXTS)) for _ in range(2)]
    for gateway in _GATEWAYS:
        port = network.gateway_port
        await between.tap((network.host(gateway.wan_host), port), (network.host(gateway.host), port))
    for port in (network.upstream_port, network.tcp_upstream_port):
        await beside.tap((network.host(TAP_HOST), port), (network.host(API.host), port))
    return between, beside


def _sighting(spy: Spy) -> Sighting:
    return Sighting(spy.server_names(), spy.size, spy.readable)


def _promise(trust_domain: str) -> Promise:
    services = (f"{each.service}.default.dc2.internal.{trust_domain}" for each in (DB, LEDGER))
    servers = (f"server.{each.datacenter}.consul" for each in _GATEWAYS)
    return Promise(
        service_spiffe_id(trust_domain, DC1.datacenter, API.service),
        frozenset((*services, *servers)),
        frozenset(TEXTS),
    )


def _commands(network: Network, dc1: Side, dc2: Side) -> tuple[str, ...]:
    return (
        f"curl -i {upstream_url(network, API, PATH)}",
        f"curl -i {upstream_url(network, WEB, PATH)}",
        f"nc {network.host(API.host)} {network.tcp_upstream_port}",
        f"xdsmesh dc status --http-addr {dc1.running.http_addr}",
        f"xdsmesh members --wan --http-addr {dc2.running.http_addr}",
        f"xdsmesh intention check web db --http-addr {dc2.running.http_addr}",
        f"$EDITOR {dc1.running.config / INTENTIONS}",
        f"xdsmesh proxies --http-addr {dc2.running.http_addr}",
        f"curl http://{network.host(GATEWAY_1.host)}:{network.admin_port}/config_dump",
    )

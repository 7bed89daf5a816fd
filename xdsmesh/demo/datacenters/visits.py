"""Calls from one datacenter into the other, each through the sidecar of the caller."""

from xdsmesh.demo.calls import ALLOWED, DENIED, ask, listen
from xdsmesh.demo.control import Control
from xdsmesh.demo.datacenters.layout import API, DB, LEDGER, PATH, TAP_HOST, WEB, WORDS
from xdsmesh.demo.handshakes import judged
from xdsmesh.demo.layout import Instance
from xdsmesh.demo.network import Network
from xdsmesh.demo.verdicts import Verdict


async def visits(network: Network, control: Control) -> tuple[Verdict, ...]:
    """What becomes of api, whose words a spy reads before its Envoy does, and of web."""
    return (
        await _http(network, control, API, TAP_HOST, ALLOWED),
        await _http(network, control, WEB, WEB.host, DENIED),
        await _tcp(network, control, API, TAP_HOST, ALLOWED),
        await _tcp(network, control, WEB, WEB.host, DENIED),
    )


async def visits_without(network: Network) -> tuple[Verdict, ...]:
    """What becomes of api while the control plane of the destinations is gone."""
    caller = f"{API.service}, the control plane gone"
    address = network.host(API.host), network.tcp_upstream_port
    return (
        Verdict(caller, DB.service, "http", ALLOWED, await ask(upstream_url(network, API, PATH))),
        Verdict(caller, LEDGER.service, "tcp", ALLOWED, await listen(*address, words=WORDS)),
    )


def upstream_url(network: Network, caller: Instance, path: str) -> str:
    """Where the sidecar of a caller takes requests to db."""
    return f"http://{network.host(caller.host)}:{network.upstream_port}{path}"


async def _http(network: Network, control: Control, caller: Instance, host: int, expected: str) -> Verdict:
    answer = await ask(f"http://{network.host(host)}:{network.upstream_port}{PATH}")
    decision = await control.decision(caller.service, DB.service, PATH)
    return Verdict(caller.service, DB.service, "http", expected, answer, decision.reason, decision.allowed)


async def _tcp(network: Network, control: Control, caller: Instance, host: int, expected: str) -> Verdict:
    call = listen(network.host(host), network.tcp_upstream_port, words=WORDS)
    answer = await judged(network, LEDGER, call)
    decision = await control.decision(caller.service, LEDGER.service)
    return Verdict(caller.service, LEDGER.service, "tcp", expected, answer, decision.reason, decision.allowed)

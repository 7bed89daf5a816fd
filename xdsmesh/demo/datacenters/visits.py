"""Calls from one datacenter into the other, each through the sidecar of the caller."""

from xdsmesh.demo.calls import ALLOWED, DENIED, Answer, ask, listen
from xdsmesh.demo.control import Control
from xdsmesh.demo.datacenters.layout import API, DB, LEDGER, PATH, TAP_HOST, WEB, WORDS
from xdsmesh.demo.handshakes import judged
from xdsmesh.demo.layout import Instance
from xdsmesh.demo.network import Network
from xdsmesh.demo.verdicts import Verdict


async def visits(network: Network, here: Control, there: Control) -> tuple[Verdict, ...]:
    """What becomes of api, whose words a spy reads before its Envoy does, and of web.

    The rule is told by the control plane ``here``, where it was written, and applied by that ``there``.
    """

    async def verdict(caller: Instance, callee: Instance, expected: str, answer: Answer) -> Verdict:
        path = PATH if callee is DB else ""
        rule = (await here.decision(caller.service, callee.service, path)).reason
        applied = await there.decision(caller.service, callee.service, path)
        return Verdict(
            caller.service, callee.service, callee.protocol, expected, answer, rule, applied.allowed
        )

    return (
        await verdict(API, DB, ALLOWED, await ask(_tapped_url(network))),
        await verdict(WEB, DB, DENIED, await ask(upstream_url(network, WEB, PATH))),
        await verdict(API, LEDGER, ALLOWED, await _say(network, TAP_HOST)),
        await verdict(WEB, LEDGER, DENIED, await judged(network, LEDGER, _say(network, WEB.host))),
    )


async def visits_without(network: Network) -> tuple[Verdict, ...]:
    """What becomes of api while the control plane of the destinations is gone."""
    caller = f"{API.service}, the control plane gone"
    return (
        Verdict(caller, DB.service, "http", ALLOWED, await ask(upstream_url(network, API, PATH))),
        Verdict(caller, LEDGER.service, "tcp", ALLOWED, await _say(network, API.host)),
    )


def upstream_url(network: Network, caller: Instance, path: str) -> str:
    """Where the sidecar of a caller takes requests to db."""
    return f"http://{network.host(caller.host)}:{network.upstream_port}{path}"


def _tapped_url(network: Network) -> str:
    """The same for api, by the spy."""
    return f"http://{network.host(TAP_HOST)}:{network.upstream_port}{PATH}"


async def _say(network: Network, host: int) -> Answer:
    """Say something to ledger."""
    return await listen(network.host(host), network.tcp_upstream_port, words=WORDS)

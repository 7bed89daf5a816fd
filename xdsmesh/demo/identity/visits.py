"""Calls as applications make them, each through the sidecar beside it."""

from xdsmesh.demo.calls import ALLOWED, DENIED, ask, listen
from xdsmesh.demo.control import Control
from xdsmesh.demo.handshakes import judged
from xdsmesh.demo.identity.layout import ADMIN_PATH, API, DB, LEDGER, PATH, WEB
from xdsmesh.demo.layout import Instance
from xdsmesh.demo.network import Network
from xdsmesh.demo.verdicts import Verdict


async def visits(network: Network, control: Control) -> tuple[Verdict, ...]:
    """What becomes of api and web, at db and at ledger."""
    return (
        await _http(network, control, API, PATH, ALLOWED),
        await _http(network, control, API, ADMIN_PATH, DENIED),
        await _http(network, control, WEB, PATH, DENIED),
        await _tcp(network, control, API, ALLOWED),
        await _tcp(network, control, WEB, DENIED),
    )


async def visits_over_tcp(network: Network, control: Control) -> tuple[Verdict, ...]:
    """What becomes of api and web at db while that is known to speak tcp: a request is but bytes."""
    return (
        await _bytes(network, control, API, ALLOWED),
        await _bytes(network, control, WEB, DENIED),
    )


def upstream_url(network: Network, caller: Instance, path: str) -> str:
    """Where the sidecar of a caller takes requests to db."""
    return f"http://{network.host(caller.host)}:{network.upstream_port}{path}"


async def _http(network: Network, control: Control, caller: Instance, path: str, expected: str) -> Verdict:
    answer = await ask(upstream_url(network, caller, path))
    decision = await control.decision(caller.service, DB.service, path)
    asked = DB.service if path == PATH else f"{DB.service} {path}"
    return Verdict(
        caller.service, asked, "http", expected, answer, rule=decision.reason, rule_allows=decision.allowed
    )


async def _bytes(network: Network, control: Control, caller: Instance, expected: str) -> Verdict:
    answer = await judged(network, DB, ask(upstream_url(network, caller, PATH)))
    decision = await control.decision(caller.service, DB.service)
    return Verdict(
        caller.service,
        DB.service,
        "tcp",
        expected,
        answer,
        rule=decision.reason,
        rule_allows=decision.allowed,
    )


async def _tcp(network: Network, control: Control, caller: Instance, expected: str) -> Verdict:
    called = listen(network.host(caller.host), network.tcp_upstream_port)
    answer = await judged(network, LEDGER, called)
    decision = await control.decision(caller.service, LEDGER.service)
    return Verdict(
        caller.service,
        LEDGER.service,
        "tcp",
        expected,
        answer,
        rule=decision.reason,
        rule_allows=decision.allowed,
    )

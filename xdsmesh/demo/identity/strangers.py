"""Calls straight at the public listener of a service, without a sidecar: who has what certificate?"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xdsmesh.demo.calls import ALLOWED, DENIED, ask, listen
from xdsmesh.demo.control import Control
from xdsmesh.demo.errors import DemoError
from xdsmesh.demo.handshakes import judged
from xdsmesh.demo.identity.certificates import client_tls, foreign_leaf
from xdsmesh.demo.identity.layout import API, DB, LEDGER, PATH, WEB
from xdsmesh.demo.network import Network
from xdsmesh.demo.verdicts import Verdict
from xdsmesh.model.trust import Leaf


@dataclass(frozen=True, slots=True)
class Door:
    """How the strangers connect: each with TLS of its own. ``api_id`` is the SPIFFE id of api."""

    network: Network
    api_id: str
    without: ssl.SSLContext
    foreign: ssl.SSLContext
    expired: ssl.SSLContext
    web: ssl.SSLContext
    api: ssl.SSLContext

    @property
    def url(self) -> str:
        """The public listener of db."""
        return f"https://{self.network.host(DB.host)}:{self.network.sidecar_port}{PATH}"


async def find_door(
    network: Network, control: Control, tokens: Mapping[str, str], expired: Leaf, folder: Path
) -> Door:
    """Get the certificates together.

    Raises:
        DemoError: the control plane does not give a service its own key.
    """
    roots, draft = await control.roots(), folder / "client.pem"
    trust_domain = expired.spiffe_id.removeprefix("spiffe://").partition("/")[0]
    foreign = await foreign_leaf(trust_domain)

    async def own(service: str) -> ssl.SSLContext:
        pair = await control.leaf(service, tokens[service])
        if pair is None:
            raise DemoError(f"the control plane refuses {service} its own key")
        return client_tls(roots, pair, draft)

    return Door(
        network,
        expired.spiffe_id,
        without=client_tls(roots, None, draft),
        foreign=client_tls(roots, (foreign.chain_pem, foreign.key_pem), draft),
        expired=client_tls(roots, (expired.chain_pem, expired.key_pem), draft),
        web=await own(WEB.service),
        api=await own(API.service),
    )


async def strangers(door: Door, control: Control) -> tuple[Verdict, ...]:
    """What becomes of those who come without a sidecar. With api's own certificate it works, to compare."""
    verdicts: list[Verdict] = []
    for who, tls, expected in (
        ("a client with api's certificate", door.api, ALLOWED),
        ("a client without a certificate", door.without, DENIED),
        ("a client with a certificate of another root", door.foreign, DENIED),
        ("a client with an expired certificate of api", door.expired, DENIED),
    ):
        host, port = door.network.host(LEDGER.host), door.network.sidecar_port
        for callee in (DB, LEDGER):
            call = ask(door.url, tls) if callee is DB else listen(host, port, tls)
            answer = await judged(door.network, callee, call)
            verdicts.append(Verdict(who, callee.service, callee.protocol, expected, answer))
    verdicts.append(await _web_as_api(door, control))
    return tuple(verdicts)


async def _web_as_api(door: Door, control: Control) -> Verdict:
    """It says that it is api wherever a client can say so; its certificate says web."""
    claims = {"x-forwarded-client-cert": f"URI={door.api_id}", "x-forwarded-for": "127.0.0.1"}
    answer = await ask(door.url, door.web, claims)
    decision = await control.decision(WEB.service, DB.service, PATH)
    return Verdict("web posing as api", DB.service, "http", DENIED, answer, decision.reason, decision.allowed)

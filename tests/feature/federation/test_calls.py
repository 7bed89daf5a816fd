"""Single calls between datacenters: who may, and what the caller is told."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from tests.feature.federation.conftest import Mesh, now, until
from xdsmesh.api.about import About
from xdsmesh.ca.intermediate import Subject
from xdsmesh.ca.keys import generate
from xdsmesh.federation.client import FederationClient, make_channel
from xdsmesh.federation.credentials import client_credentials
from xdsmesh.federation.errors import DeclinedError, NoRouteError, UnreachableError
from xdsmesh.federation.peer import Peer
from xdsmesh.federation.v1.federation_pb2 import (
    AskRequest,
    AskResponse,
    JoinRequest,
    JoinResponse,
    SignIntermediateRequest,
    SignIntermediateResponse,
)
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError
from xdsmesh.model.trust import service_spiffe_id


class Joining:
    """Takes everybody in, but for one."""

    async def join(self, peer: Peer, request: JoinRequest) -> JoinResponse:
        if request.datacenter == "dc9":
            raise RefusedError(Problem(Place(), "dc9 is full", code=Code.TRUST))
        return JoinResponse(primary=f"{request.datacenter} by {peer.join_token}")

    async def sign(self, peer: Peer, request: SignIntermediateRequest) -> SignIntermediateResponse:
        return SignIntermediateResponse(certificate=f"{request.certificate_request} for {peer.datacenter}")


async def answer(peer: Peer, request: AskRequest) -> AskResponse:
    if request.target == "/broken":
        raise ValueError("a secret")
    return AskResponse(status=200, body=f"{peer.datacenter} asked {request.target}".encode())


@pytest.fixture
async def pair(mesh: Mesh) -> Mesh:
    await mesh.start("dc1")
    await mesh.start("dc2")
    await mesh.federate("dc1", "dc2")
    mesh["dc1"].parts.federation.joining = Joining()
    mesh["dc1"].parts.federation.answering = answer
    await until(lambda: mesh["dc2"].is_up("dc1"), "the link is up")
    return mesh


def stranger(mesh: Mesh, spiffe_id: str) -> FederationClient:
    """A client with a certificate of the mesh in another name, straight to dc1."""
    authority = mesh["dc1"].parts.leaves.issuer.authority
    leaf = authority.signer.sign(
        Subject(spiffe_id), generate(mesh["dc1"].parts.leaves.issuer.leaf_kind), now(), timedelta(hours=1)
    )
    address = f"127.0.0.1:{mesh.relays['dc1'].port}"
    return FederationClient("dc1", make_channel(address, "dc1", client_credentials(leaf, authority.bundle)))


async def test_a_member_asks_another_one(pair: Mesh) -> None:
    response = await pair["dc2"].parts.links.call("dc1").ask(AskRequest(method="GET", target="/v1/x"))
    assert (response.status, response.body) == (200, b"dc2 asked /v1/x")


async def test_a_member_has_its_intermediate_signed(pair: Mesh) -> None:
    request = SignIntermediateRequest(certificate_request="csr")
    response = await pair["dc2"].parts.links.call("dc1").sign_intermediate(request)
    assert response.certificate == "csr for dc2"


async def test_what_is_not_offered_is_declined(pair: Mesh) -> None:
    await until(lambda: pair["dc1"].is_up("dc2"), "the link is up")
    with pytest.raises(DeclinedError, match="dc2 does not offer this"):
        await pair["dc1"].parts.links.call("dc2").ask(AskRequest(method="GET", target="/v1/x"))


async def test_a_failure_is_told_without_what_it_was(pair: Mesh) -> None:
    with pytest.raises(DeclinedError, match="dc1 failed; its log says how"):
        await pair["dc2"].parts.links.call("dc1").ask(AskRequest(method="GET", target="/broken"))


async def test_who_holds_a_join_token_may_join_and_nothing_else(pair: Mesh) -> None:
    client = stranger(pair, "spiffe://corp.consul/agent/join/token-1")
    response = await client.join(JoinRequest(datacenter="dc3"))
    assert response.primary == "dc3 by token-1"
    with pytest.raises(DeclinedError, match="dc9 is full"):
        await client.join(JoinRequest(datacenter="dc9"))
    with pytest.raises(DeclinedError, match="as a member"):
        await client.ask(AskRequest(method="GET", target="/v1/x"))


@pytest.mark.parametrize(
    "spiffe_id",
    [
        service_spiffe_id("corp.consul", "dc2", "web"),
        "spiffe://corp.consul/agent/server/dc/dc3",
        "spiffe://corp.consul/agent/server/dc/dc2/more",
    ],
)
async def test_who_is_no_member_may_nothing(pair: Mesh, spiffe_id: str) -> None:
    """A service's certificate is of the mesh as well, and so is that of a datacenter which was removed."""
    client = stranger(pair, spiffe_id)
    with pytest.raises(DeclinedError, match="as a member"):
        await client.ask(AskRequest(method="GET", target="/v1/x"))
    with pytest.raises(DeclinedError, match="join token"):
        await client.join(JoinRequest(datacenter="dc3"))


async def test_a_call_to_nobody_says_why(pair: Mesh) -> None:
    with pytest.raises(NoRouteError, match="no member"):
        pair["dc2"].parts.links.call("dc7")


async def test_a_call_over_a_link_that_is_cut_ends_and_says_why(pair: Mesh) -> None:
    async def forever(_peer: Peer, _request: AskRequest) -> AskResponse:
        await asyncio.Event().wait()
        return AskResponse()

    pair["dc1"].parts.federation.answering = forever
    client = pair["dc2"].parts.links.call("dc1")
    call = asyncio.ensure_future(client.ask(AskRequest(method="GET", target="/v1/x")))
    await asyncio.sleep(0)
    for relay in pair.relays.values():
        relay.cut()
    with pytest.raises(UnreachableError):
        await call
    await until(lambda: not pair["dc2"].is_up("dc1"), "the cut is noticed")
    with pytest.raises(UnreachableError):
        await pair["dc2"].parts.links.call("dc1").ask(AskRequest(method="GET", target="/v1/x"))


async def test_the_metrics_say_whether_others_are_heard(pair: Mesh) -> None:
    about = About("0", pair["dc2"].parts.repository.node, "corp.consul")
    transport = httpx.ASGITransport(pair["dc2"].parts.app(about), client=("127.0.0.1", 1))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as api:
        gauges = (await api.get("/v1/agent/metrics")).json()["Gauges"]
    links = {each["Name"]: each["Value"] for each in gauges if each.get("Labels") == {"datacenter": "dc1"}}
    assert links["xdsmesh_federation_link_up"] == 1
    assert links["xdsmesh_federation_lag_seconds"] == 0

"""What a datacenter that has joined, and means harm, can do to the primary: nothing outside of its place."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import pytest

from xdsmesh.ca.certificates import create_request
from xdsmesh.ca.intermediate import Intermediate, Signer, Subject
from xdsmesh.ca.keys import generate, key_pem
from xdsmesh.federation.client import FederationClient, make_channel
from xdsmesh.federation.credentials import client_credentials
from xdsmesh.federation.errors import DeclinedError
from xdsmesh.federation.join_token import JoinToken
from xdsmesh.federation.v1.federation_pb2 import (
    AskRequest,
    AskResponse,
    FollowRequest,
    Header,
    JoinRequest,
    Report,
    SignIntermediateRequest,
    Start,
)
from xdsmesh.model.trust import P256, Leaf, TrustBundle, server_spiffe_id

if TYPE_CHECKING:
    from tests.feature.joining.conftest import Datacenter, Datacenters

T = TypeVar("T")
Act = Callable[[FederationClient], Awaitable[T]]

ODD_GATEWAYS = [
    b"{",
    b"[]",
    b'{"gateways": [{"id": "a", "address": "192.0.2.1", "port": -1}]}',
    b'{"gateways": [{"id": "a", "address": "192.0.2.1", "port": 99999}]}',
    b'{"gateways": [{"id": "a", "address": "no host name", "port": 443}]}',
]

NOT_FOR_OTHERS = [
    ("GET", "/v1/agent/self"),
    ("GET", "/v1/agent/connect/ca/leaf/web"),
    ("GET", "/v1/connect/ca/configuration"),
    ("OPTIONS", "/v1/agent/self"),
    ("GET", "//v1/agent/self"),
    ("GET", "/v1/acl/tokens"),
    ("PUT", "/v1/catalog/register"),
    ("PUT", "/v1/xdsmesh/ca/rotate"),
    ("PUT", "/v1/xdsmesh/dc/token"),
    ("DELETE", "/v1/xdsmesh/dc/members/dc2"),
    ("GET", "/v1/config/../agent/self"),
    ("GET", "/v1/config/%2e%2e/agent/self"),
    ("GET", "/v1/catalog/services%2F..%2F..%2Fagent%2Fself"),
    ("GET", "/v1/catalog/services;dc=dc2"),
    ("GET", "/v1/catalog/services?dc=dc2"),
    ("GET", "/v1/catalog/services?%64c=dc2"),
    ("get", "/v1/agent/self"),
    ("HEAD", "/v1/agent/self"),
    ("GET", "/v1/config/\u20ac"),
    ("GET", ""),
    ("", "/v1/config"),
]


class Intruder:
    """A datacenter without a server: it says what it likes, in the name of whom it likes."""

    def __init__(self, primary: Datacenter) -> None:
        self.primary = primary
        self.token = JoinToken.parse(primary.token())
        self.key = generate(P256)
        now = datetime.now(UTC)
        self.first_leaf = Leaf("", self.token.chain_pem, self.token.key_pem, now, now + timedelta(hours=1))

    @property
    def request(self) -> str:
        return create_request(self.token.trust_domain, self.key)

    def join(self, gateways: bytes = b"", name: str = "dc2") -> None:
        request = JoinRequest(datacenter=name, intermediate_request=self.request, gateways=gateways)
        response = self.call(lambda client: client.join(request), self.first_leaf)
        self.intermediate = Intermediate.load(response.intermediate_certificate, key_pem(self.key))

    def sign(self, request: SignIntermediateRequest) -> Intermediate:
        response = self.call(lambda client: client.sign_intermediate(request))
        return Intermediate.load(response.certificate, key_pem(self.key))

    def leaf(self, path: str) -> Leaf:
        domain = self.token.trust_domain
        signer = Signer(domain, self.intermediate, self.intermediate.certificate_pem)
        subject = Subject(f"spiffe://{domain}/{path}")
        return signer.sign(subject, generate(P256), datetime.now(UTC), timedelta(hours=1))

    def call(self, act: Act[T], leaf: Leaf | None = None) -> T:
        own = server_spiffe_id("", "dc2").removeprefix("spiffe:///")
        return asyncio.run(self._call(act, leaf or self.leaf(own)))

    def ask(self, method: str, target: str, body: bytes = b"", **headers: str) -> AskResponse:
        told = [Header(name=name.replace("_", "-"), value=value) for name, value in headers.items()]
        request = AskRequest(method=method, target=target, body=body, headers=told)
        return self.call(lambda client: client.ask(request))

    async def _call(self, act: Act[T], leaf: Leaf) -> T:
        credentials = client_credentials(leaf, TrustBundle(self.token.trust_domain, self.token.roots_pem))
        address = f"127.0.0.1:{self.primary.relay.port}"
        async with make_channel(address, self.primary.name, credentials) as channel:
            return await act(FederationClient(self.primary.name, channel))


@pytest.fixture
def primary(datacenter: Datacenters) -> Datacenter:
    return datacenter("dc1")


@pytest.fixture
def intruder(primary: Datacenter) -> Intruder:
    return Intruder(primary)


def test_who_joins_with_odd_gateways_is_refused_and_may_try_again(
    primary: Datacenter, intruder: Intruder
) -> None:
    for gateways in ODD_GATEWAYS:
        with pytest.raises(DeclinedError, match="of its mesh gateways can't be used"):
            intruder.join(gateways)
    assert primary.get("/v1/catalog/datacenters") == ["dc1"]
    intruder.join()
    assert primary.get("/v1/catalog/datacenters") == ["dc1", "dc2"]


def test_a_report_of_odd_gateways_changes_nothing(primary: Datacenter, intruder: Intruder) -> None:
    intruder.join(b'{"gateways": [{"id": "a", "address": "127.0.0.1", "port": 9}], "revision": 1}')

    async def report(client: FederationClient) -> None:
        call = client.follow()
        await call.write(FollowRequest(start=Start(format=1)))
        for gateways in ODD_GATEWAYS:
            told = gateways.replace(b"}]}", b'}], "revision": 9}')
            await call.write(FollowRequest(report=Report(gateways=told)))
        async with asyncio.timeout(30):
            for _ in range(5):
                await call.read()

    intruder.call(report)
    primary.wait(lambda: len(primary.server.events("a report can't be read")) == len(ODD_GATEWAYS), "told")
    (gateway,) = primary.get("/v1/xdsmesh/datacenters")["datacenters"][1]["gateways"]
    assert gateway["address"] == "127.0.0.1:9"


def test_no_lifetime_makes_an_intermediate_that_lives_longer_than_others(
    primary: Datacenter, intruder: Intruder
) -> None:
    intruder.join()
    for seconds in (-5, 0, 10**18):
        request = SignIntermediateRequest(
            certificate_request=intruder.request, root_id=primary.active_root, lifetime_seconds=seconds
        )
        end = intruder.sign(request).certificate.not_valid_after_utc
        assert end <= datetime.now(UTC) + timedelta(hours=8760)


def test_nobody_but_a_member_asks_and_nobody_joins_twice(primary: Datacenter, intruder: Intruder) -> None:
    intruder.join()
    read = AskRequest(method="GET", target="/v1/catalog/services")
    again = JoinRequest(datacenter="dc3", intermediate_request=intruder.request)
    strangers = [
        "ns/default/dc/dc2/svc/web",
        "ns/default/dc/dc2/svc/agent/server/dc/dc2",
        "agent/server/dc/dc1",
        "agent/server/dc/dc3",
        "agent/join/x",
    ]
    for leaf in (intruder.first_leaf, *map(intruder.leaf, strangers)):
        with pytest.raises(DeclinedError, match=r"as a member"):
            intruder.call(lambda client: client.ask(read), leaf)
        with pytest.raises(DeclinedError, match=r"was used already|only who holds a join token"):
            intruder.call(lambda client: client.join(again), leaf)
    assert primary.command("dc", "remove", "dc2")[0] == 0
    with pytest.raises(DeclinedError, match="as a member"):
        intruder.ask("GET", "/v1/catalog/services")


def test_nothing_else_is_answered(primary: Datacenter, intruder: Intruder) -> None:
    intruder.join()
    token = primary.command("token", "create", "--operator")[1].split()[-1]
    for method, target in NOT_FOR_OTHERS:
        answer = intruder.ask(method, target, x_consul_token=token)
        assert answer.status in (400, 403, 404, 405), (method, target, answer)
    assert "failed; its log" not in primary.server.output()
    assert not primary.server.events("request failed")

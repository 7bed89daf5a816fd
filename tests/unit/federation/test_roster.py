"""The primary's list: who joins uses up a token, is certified for leaves alone, and may be removed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from xdsmesh.ca.certificates import create_request
from xdsmesh.ca.configuration import PRIMARY
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.keys import generate
from xdsmesh.ca.sealing import Sealer
from xdsmesh.catalog.codec import decode_trust
from xdsmesh.federation.join_token import JoinToken
from xdsmesh.federation.peer import Peer
from xdsmesh.federation.roster import Roster
from xdsmesh.federation.tokens import JoinTokens
from xdsmesh.federation.v1.federation_pb2 import JoinRequest, SignIntermediateRequest
from xdsmesh.model.errors import NotFoundError, RefusedError
from xdsmesh.model.federation import RemoteGateway, RemoteGateways
from xdsmesh.model.origin import Origin, Source
from xdsmesh.model.trust import P256
from xdsmesh.store.memory import MemoryStore

ORIGIN = Origin(Source.API, "127.0.0.1")
GATEWAYS = RemoteGateways(
    (RemoteGateway("a", "192.0.2.1", 1, healthy=False), RemoteGateway("b", "192.0.2.2", 2))
)
HOUR = timedelta(hours=1)


class Primary(NamedTuple):
    store: MemoryStore
    issuer: Issuer
    roster: Roster

    async def peer(self, datacenter: str = "") -> Peer:
        """Who holds a new token."""
        made = await self.roster.tokens.make(datacenter, HOUR, ORIGIN)
        return Peer(f"spiffe://corp.consul/agent/join/{made.id}")

    async def keys(self, prefix: str) -> list[str]:
        return [record.key for record in (await self.store.list(prefix))[1]]


@pytest.fixture
async def primary() -> Primary:
    def now() -> datetime:
        return datetime.now(UTC)

    store = MemoryStore()
    issuer = await Issuer.open(store, "corp.consul", now, Sealer.in_memory())
    tokens = JoinTokens(store, issuer, "dc1", lambda: GATEWAYS, now)
    return Primary(store, issuer, Roster(store, issuer, tokens, "dc1", now))


def wants_to_join(datacenter: str = "dc2", trust_domain: str = "corp.consul") -> JoinRequest:
    request = create_request(trust_domain, generate(P256))
    return JoinRequest(datacenter=datacenter, intermediate_request=request, gateways=b'{"gateways":[]}')


async def test_a_token_has_what_is_needed_and_the_store_no_secret_of_it(primary: Primary) -> None:
    made = await primary.roster.tokens.make("", HOUR, ORIGIN)
    token = JoinToken.parse(made.text)
    assert token.gateways == (("192.0.2.2", 2), ("192.0.2.1", 1)), "the healthy one is first"
    assert made.text not in repr(made)
    _, (record,) = await primary.store.list("federation/token/")
    assert msgspec.json.decode(record.value).keys() == {"datacenter", "expires_at"}
    assert record.origin == ORIGIN


async def test_who_joins_uses_up_the_token_in_the_same_step(primary: Primary) -> None:
    peer = await primary.peer()
    before, _ = await primary.store.list("")
    answer = await primary.roster.join(peer, wants_to_join())
    after, _ = await primary.store.list("")
    assert after == before + 1
    assert await primary.keys("federation/token/") == []
    assert await primary.keys("shared/") == ["shared/member/dc1", "shared/member/dc2", "shared/trust"]
    assert await primary.keys("remote/") == ["remote/dc2/gateways"]
    assert (answer.primary, decode_trust(answer.trust).trust_domain) == ("dc1", "corp.consul")
    with pytest.raises(RefusedError, match="the token was used already"):
        await primary.roster.join(peer, wants_to_join("dc3"))


async def test_what_is_certified_may_sign_leaves_of_the_mesh_and_nothing_else(primary: Primary) -> None:
    answer = await primary.roster.join(await primary.peer(), wants_to_join())
    certificate = x509.load_pem_x509_certificate(answer.intermediate_certificate.encode())
    certificate.verify_directly_issued_by(primary.issuer.authority.active.certificate)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)


@pytest.mark.parametrize("names", [["corp.consul", "server.dc1.consul"], ["other.consul"], []])
async def test_a_request_for_anything_else_is_not_certified(primary: Primary, names: list[str]) -> None:
    uris: list[x509.GeneralName] = [x509.UniformResourceIdentifier(f"spiffe://{each}") for each in names[:1]]
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    san = x509.SubjectAlternativeName([*uris, *(x509.DNSName(each) for each in names[1:])])
    builder = builder.add_extension(san, critical=False) if names else builder
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    peer = await primary.peer()
    with pytest.raises(RefusedError, match=r"the request is not for spiffe://corp\.consul alone"):
        await primary.roster.join(peer, JoinRequest(datacenter="dc2", intermediate_request=pem))
    assert await primary.keys("shared/") == []
    assert len(await primary.keys("federation/token/")) == 1, "the token is not used up"


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("dc1", "the primary is called dc1"),
        ("a/b", "'a/b' is no name of a datacenter"),
        ("", "'' is no name of a datacenter"),
    ],
)
async def test_a_name_that_can_not_be_had_is_refused(primary: Primary, wanted: str, told: str) -> None:
    with pytest.raises(RefusedError, match=told):
        await primary.roster.join(await primary.peer(), wants_to_join(wanted))


async def test_a_member_has_its_next_intermediate_certified_and_others_have_not(primary: Primary) -> None:
    await primary.roster.join(await primary.peer(), wants_to_join())
    root = primary.issuer.authority.active.id
    request = SignIntermediateRequest(
        certificate_request=create_request("corp.consul", generate(P256)), root_id=root, lifetime_seconds=3600
    )
    answer = await primary.roster.sign(Peer("", "dc2"), request)
    certificate = x509.load_pem_x509_certificate(answer.certificate.encode())
    assert certificate.not_valid_after_utc - datetime.now(UTC) < timedelta(hours=1, minutes=1)
    with pytest.raises(RefusedError, match="dc3 is no member of this mesh"):
        await primary.roster.sign(Peer("", "dc3"), request)
    request.root_id = "00"
    with pytest.raises(RefusedError, match="the root 00 is not one that signs now"):
        await primary.roster.sign(Peer("", "dc2"), request)


async def test_the_last_that_is_removed_leaves_the_primary_alone(primary: Primary) -> None:
    for name in ("dc2", "dc3"):
        await primary.roster.join(await primary.peer(), wants_to_join(name))
    await primary.roster.remove("dc2", ORIGIN)
    assert await primary.keys("shared/member/") == ["shared/member/dc1", "shared/member/dc3"]
    with pytest.raises(NotFoundError, match=r'no datacenter "dc2" has joined \(those that have: dc3\)'):
        await primary.roster.remove("dc2", ORIGIN)
    with pytest.raises(RefusedError, match="dc1 is the primary of the mesh"):
        await primary.roster.remove("dc1", ORIGIN)
    await primary.roster.remove("dc3", ORIGIN)
    assert await primary.keys("shared/") == await primary.keys("remote/") == []


async def test_a_secondary_lets_nobody_join(primary: Primary) -> None:
    peer = await primary.peer()
    configuration = replace(primary.issuer.configuration, provider=PRIMARY, primary="dc0")
    await primary.issuer.keep_configuration(configuration, ORIGIN)
    with pytest.raises(RefusedError, match="nobody can join here: dc1 has joined dc0"):
        await primary.roster.join(peer, wants_to_join())
    with pytest.raises(RefusedError, match="make the token at dc0"):
        await primary.peer()

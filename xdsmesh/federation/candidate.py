"""A datacenter that wants to join: it finds a way to the primary, and asks there to be let in."""

import asyncio
import re
from dataclasses import dataclass
from typing import Final

import msgspec
from cryptography import x509

from xdsmesh.ca import common_trust
from xdsmesh.ca.authority import Authority
from xdsmesh.ca.certificates import create_request
from xdsmesh.ca.intermediate import Intermediate
from xdsmesh.ca.keys import PrivateKey, generate, key_pem, kind_of
from xdsmesh.catalog.codec import decode_trust, encode_federated
from xdsmesh.catalog.feed import Feed
from xdsmesh.federation.client import FederationClient, make_channel
from xdsmesh.federation.credentials import client_credentials
from xdsmesh.federation.errors import LinkError, UnreachableError
from xdsmesh.federation.join_token import JoinToken
from xdsmesh.federation.probing import probe_context
from xdsmesh.federation.reaching import Unreached, reach
from xdsmesh.federation.refusals import refused
from xdsmesh.federation.routes import gateways, routes
from xdsmesh.federation.summaries import remote_gateways
from xdsmesh.federation.v1.federation_pb2 import JoinRequest, JoinResponse
from xdsmesh.model.errors import RefusedError
from xdsmesh.model.trust import Leaf, TrustBundle

REACH_SECONDS: Final = 12.0
"""How long an address is looked for that leads to the primary."""

_CODE: Final = re.compile(r"^XM[0-9]{4} ")


@dataclass(frozen=True, slots=True)
class Candidate:
    """The datacenter that may join: its name, and the trust domain that its operator has asked for."""

    datacenter: str
    trust_domain: str | None


@dataclass(frozen=True, slots=True)
class Granted:
    """What the primary gives: an authority with an intermediate for us, and the record of its trust."""

    authority: Authority
    trust: bytes


async def ask_to_join(feed: Feed, candidate: Candidate, token: JoinToken) -> Granted:
    """Ask the primary to be let in. The token is used up then, whatever becomes of the answer.

    Raises:
        RefusedError: the primary can't be reached, or does not want to; the text says why, and what to do.
    """
    (root, *_) = x509.load_pem_x509_certificates(token.roots_pem.encode())
    key = await asyncio.to_thread(generate, kind_of(root))
    request = JoinRequest(
        datacenter=candidate.datacenter,
        intermediate_request=create_request(token.trust_domain, key),
        gateways=encode_federated(remote_gateways(gateways(feed.view), feed.revision)),
    )
    response = await _ask(await _way(feed, token), token, request)
    return Granted(_authority(token, response, key), response.trust)


def for_itself(datacenter: str, primary: str) -> str:
    """How a datacenter gets a token once it may have used one up."""
    return f"make one for {datacenter} alone: `xdsmesh dc token --datacenter {datacenter}` at {primary}"


async def _way(feed: Feed, token: JoinToken) -> str:
    """An address that leads to the primary: of our own mesh gateways, or else of its own."""
    primary = token.primary
    try:
        context = probe_context(*_proof(token))
        return await reach(lambda: routes(feed.view, primary), primary, context, REACH_SECONDS)
    except Unreached as error:
        what = f"{primary} can't be reached through its mesh gateways ({error})"
        remedy = (
            f"see that a mesh gateway of {primary} runs at that address and may be reached from here,"
            " then join again with the same token"
        )
        raise refused(what, remedy) from error


def _proof(token: JoinToken) -> tuple[Leaf, TrustBundle]:
    """What is shown to the primary, and whom it must prove itself by."""
    certificate = token.certificate
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    leaf = Leaf("", token.chain_pem, token.key_pem, begin, end)
    return leaf, TrustBundle(token.trust_domain, token.roots_pem)


async def _ask(address: str, token: JoinToken, request: JoinRequest) -> JoinResponse:
    primary = token.primary
    async with make_channel(address, primary, client_credentials(*_proof(token))) as channel:
        try:
            return await FederationClient(primary, channel).join(request)
        except UnreachableError as error:
            what = f"{primary} was reached, and did not answer ({error.reason})"
            remedy = f"join again; if the token was used up, {for_itself(request.datacenter, primary)}"
            raise refused(what, remedy) from error
        except LinkError as error:
            raise _declined(primary, request.datacenter, error.reason) from error


def _declined(primary: str, datacenter: str, reason: str) -> RefusedError:
    """A refusal of the primary in its words, which have a remedy as ours do."""
    what, _, remedy = _CODE.sub("", reason).removesuffix(")").partition(" (")
    return refused(f"{primary} does not let {datacenter} join: {what}", remedy)


def _authority(token: JoinToken, response: JoinResponse, key: PrivateKey) -> Authority:
    try:
        intermediate = Intermediate.load(response.intermediate_certificate, key_pem(key))
        trust = decode_trust(response.trust)
        return Authority.of(token.trust_domain, common_trust.taken(trust), intermediate)
    except (ValueError, msgspec.MsgspecError) as error:
        what = f"what {token.primary} answers can't be used: {error}"
        raise refused(what, "see that both datacenters run the same release of xdsmesh") from error

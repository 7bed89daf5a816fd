"""The list of datacenters, which the primary keeps: who joins, who is certified, who is removed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from xdsmesh.ca import common_trust
from xdsmesh.ca.certificates import check_request
from xdsmesh.ca.issuer import Issuer
from xdsmesh.catalog.codec import encode_federated
from xdsmesh.catalog.keys import GATEWAYS, MEMBER, REMOTE, TRUST, remote_key, shared_key
from xdsmesh.federation.peer import Peer
from xdsmesh.federation.places import read_gateways
from xdsmesh.federation.refusals import refused
from xdsmesh.federation.store_id import ORIGIN
from xdsmesh.federation.tokens import JoinTokens, OpenToken
from xdsmesh.federation.v1.federation_pb2 import (
    JoinRequest,
    JoinResponse,
    SignIntermediateRequest,
    SignIntermediateResponse,
)
from xdsmesh.model.errors import NotFoundError, RefusedError
from xdsmesh.model.federation import Member
from xdsmesh.model.origin import Origin
from xdsmesh.settings import is_datacenter_name
from xdsmesh.store.base import Conflict, Expect, Put, Record, Store, Txn

log = structlog.get_logger(__name__)


class Roster:
    """Lets datacenters join, and certifies their intermediates; on a secondary it refuses all."""

    def __init__(
        self,
        store: Store,
        issuer: Issuer,
        tokens: JoinTokens,
        datacenter: str,
        clock: Callable[[], datetime],
    ) -> None:
        """Take over what the store has; ``datacenter`` is this one."""
        self.tokens: Final = tokens
        self._store: Final = store
        self._issuer: Final = issuer
        self._datacenter: Final = datacenter
        self._clock: Final = clock

    async def join(self, peer: Peer, request: JoinRequest) -> JoinResponse:
        """Make a datacenter a member, use up its token, and certify its intermediate.

        Raises:
            RefusedError: the token does not count, or the name can't be had, or the request is not right.
        """
        issuer, name = self._issuer, request.datacenter
        async with issuer.changing:  # the root that signs is the active one until the member is stored
            record, token = await self._token(peer)
            member = await self._store.get(shared_key(MEMBER + name))
            self._check_name(name, token, member)
            _check_gateways(request.gateways)
            lifetime = issuer.configuration.intermediate_lifetime
            certificate = await self._sign(issuer.authority.active.id, request.intermediate_request, lifetime)
            trust = encode_federated(common_trust.told(issuer.authority))
            expects = (
                Expect(record.key, record.modified),
                Expect(_key(name), member.modified if member else 0),
            )
            # Of one that comes again the follower here knows how far it is, and goes on from there.
            gone = () if member else await self._what_was_told(name)
            puts = (*await self._both(name), Put(shared_key(TRUST), trust))
            if request.gateways:
                puts = (*puts, Put(remote_key(name, GATEWAYS), request.gateways))
            deletes = tuple({record.key, *gone} - {put.key for put in puts})
            outcome = await self._store.commit(Txn(puts, deletes, expects), ORIGIN)
        if isinstance(outcome, Conflict):
            raise _used()
        log.info("a datacenter has joined", datacenter=name, token=peer.join_token)
        return JoinResponse(primary=self._datacenter, trust=trust, intermediate_certificate=certificate)

    async def sign(self, peer: Peer, request: SignIntermediateRequest) -> SignIntermediateResponse:
        """Certify the next intermediate of a member.

        Raises:
            RefusedError: it is no member, or the root is not one that signs, or the request is not right.
        """
        if await self._store.get(_key(peer.datacenter)) is None:
            raise refused(f"{peer.datacenter} is no member of this mesh", "let it join with a new token")
        longest = self._issuer.configuration.intermediate_lifetime
        seconds = min(max(request.lifetime_seconds, 1), int(longest.total_seconds()))
        certificate = await self._sign(
            request.root_id, request.certificate_request, timedelta(seconds=seconds)
        )
        log.info("an intermediate was certified", datacenter=peer.datacenter, root=request.root_id)
        return SignIntermediateResponse(certificate=certificate)

    async def remove(self, name: str, origin: Origin) -> None:
        """Take a datacenter off the list, and forget what it told.

        Raises:
            NotFoundError: there is none of that name.
            RefusedError: this is not the primary, or the name is its own.
        """
        self._check_is_primary(f"{name} can't be removed here")
        if name == self._datacenter:
            what = f"{name} is the primary of the mesh, which keeps the list of its datacenters"
            raise refused(what, "remove the others, and it is alone again")
        while True:
            _, records = await self._store.list(shared_key(MEMBER))
            by_name = {record.key.removeprefix(shared_key(MEMBER)): record for record in records}
            if name not in by_name:
                others = ", ".join(sorted(by_name.keys() - {self._datacenter})) or "none"
                raise NotFoundError(f'no datacenter "{name}" has joined (those that have: {others})')
            alone = not by_name.keys() - {name, self._datacenter}
            ours = (_key(self._datacenter), shared_key(TRUST)) if alone else ()
            deletes = (_key(name), *await self._what_was_told(name), *ours)
            expects = tuple(Expect(each.key, each.modified) for each in records)
            if not isinstance(await self._store.commit(Txn((), deletes, expects), origin), Conflict):
                log.info("a datacenter was removed", datacenter=name, by=str(origin))
                return

    async def _token(self, peer: Peer) -> tuple[Record, OpenToken]:
        self._check_is_primary("nobody can join here")
        found = await self.tokens.find(peer.join_token)
        if found is None:
            raise _used()
        return found

    def _check_is_primary(self, what: str) -> None:
        if primary := self._issuer.configuration.primary:
            raise refused(f"{what}: {self._datacenter} has joined {primary}", f"ask the server of {primary}")

    def _check_name(self, name: str, token: OpenToken, member: Record | None) -> None:
        """A token for a name lets its datacenter also come again, as after a join that was interrupted."""
        if token.datacenter not in ("", name):
            what = f"the token is for {token.datacenter}, and this is {name}"
            raise refused(what, f"make another one: `xdsmesh dc token --datacenter {name}` at the primary")
        if not is_datacenter_name(name):
            raise refused(
                f"{name!r} is no name of a datacenter", "start its server with another --datacenter"
            )
        if name == self._datacenter:
            what = f"the primary is called {name}, and each datacenter has a name of its own"
            raise refused(what, "start the other's server with another --datacenter, and a new data folder")
        if member and not token.datacenter:
            what = f"a datacenter {name} has joined already"
            remedy = (
                "choose another name; or, if this is the same one that comes again, use a token for it"
                f" alone: `xdsmesh dc token --datacenter {name}` at the primary"
            )
            raise refused(what, remedy)

    async def _sign(self, root_id: str, request_pem: str, lifetime: timedelta) -> str:
        authority = self._issuer.authority
        root = next((each for each in authority.roots if each.id == root_id and each.signs), None)
        if root is None:
            raise refused(f"the root {root_id} is not one that signs now", "follow the primary's trust first")
        try:
            check_request(request_pem, authority.trust_domain)
        except ValueError as error:
            what = f"the intermediate can't be certified: {error}"
            raise refused(what, "see that both datacenters run the same release of xdsmesh") from error
        return await self._issuer.provider.sign_intermediate(root.certificate_pem, request_pem, lifetime)

    async def _both(self, name: str) -> tuple[Put, ...]:
        """The new member, and the primary itself, which is listed once it is not alone."""
        now, own = self._clock(), _key(self._datacenter)
        joined = Put(_key(name), encode_federated(Member(name, primary=False, joined_at=now)))
        if await self._store.get(own):
            return (joined,)
        return (joined, Put(own, encode_federated(Member(self._datacenter, primary=True, joined_at=now))))

    async def _what_was_told(self, name: str) -> tuple[str, ...]:
        _, records = await self._store.list(f"{REMOTE}{name}/")
        return tuple(record.key for record in records)


def _check_gateways(told: bytes) -> None:
    try:
        read_gateways(told or b"{}")
    except msgspec.DecodeError as error:
        what = f"what it tells of its mesh gateways can't be used: {error}"
        raise refused(what, "see that both datacenters run the same release of xdsmesh") from error


def _key(name: str) -> str:
    return shared_key(MEMBER + name)


def _used() -> RefusedError:
    what = "the token was used already, has expired, or was made by another primary"
    return refused(what, "`xdsmesh dc token` at the primary makes another one")

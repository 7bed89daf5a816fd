"""The built-in provider: it keeps the keys of its roots in the store, sealed."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import msgspec
from cryptography import x509

from xdsmesh.ca.certificates import create_root, cross_sign, sign_intermediate, to_pem, trust_domain_of
from xdsmesh.ca.keys import PrivateKey, generate, key_pem, load_key
from xdsmesh.ca.provider import Around
from xdsmesh.ca.sealing import Sealer
from xdsmesh.ca.stored import ORIGIN, ROOT_KEYS, damaged, trust_problem
from xdsmesh.model.trust import KeyKind
from xdsmesh.store.base import Expect, Put, Record, Txn

_ROTATE: Final = "rotate the root"


class _StoredRoot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The value at ``ca/root-keys/<number>``; the key is sealed."""

    certificate_pem: str
    key: bytes


@dataclass(frozen=True, slots=True)
class _Held:
    """A root that is in the store."""

    record: Record
    certificate: x509.Certificate
    sealed: bytes = field(repr=False)


def put_root(number: int, certificate_pem: str, key: str, sealer: Sealer) -> Put:
    """What stores a root and its key, which is PEM, sealed; roots are numbered from 1."""
    name = f"{ROOT_KEYS}{number}"
    stored = _StoredRoot(certificate_pem, sealer.seal(name, key.encode()))
    return Put(name, msgspec.json.encode(stored))


class BuiltinProvider:
    """Makes roots of one trust domain, and signs with them; see `Provider`."""

    def __init__(self, around: Around, kind: KeyKind, lifetime: timedelta) -> None:
        """Take over what the store has; ``kind`` and ``lifetime`` are those of roots that are made."""
        self._store: Final = around.store
        self._sealer: Final = around.sealer
        self._trust_domain: Final = around.trust_domain
        self._clock: Final = around.clock
        self._kind: Final = kind
        self._lifetime: Final = lifetime

    async def root(self) -> str:
        """See `Provider.root`."""
        while not (held := await self._of_this_domain()):
            await self._create()  # or somebody else has: look again
        return to_pem(held[0].certificate)

    async def generate_root(self) -> str:
        """See `Provider.generate_root`."""
        while (made := await self._create()) is None:
            pass  # somebody else has taken the number
        return made

    async def sign_intermediate(self, root_pem: str, request_pem: str, lifetime: timedelta) -> str:
        """See `Provider.sign_intermediate`."""
        root, key = await self._key(root_pem)
        try:
            return to_pem(sign_intermediate(root, key, request_pem, self._clock(), lifetime))
        except ValueError as error:
            raise trust_problem(f"no intermediate can be certified: {error}", _ROTATE) from error

    async def cross_sign(self, root_pem: str, other_pem: str) -> str:
        """See `Provider.cross_sign`."""
        root, key = await self._key(root_pem)
        other = x509.load_pem_x509_certificate(other_pem.encode())
        try:
            return to_pem(cross_sign(root, key, other, self._clock()))
        except ValueError as error:
            raise trust_problem(f"the new root can't be cross-signed: {error}", _ROTATE) from error

    async def forget(self, root_pem: str) -> None:
        """See `Provider.forget`."""
        wanted = x509.load_pem_x509_certificate(root_pem.encode())
        gone = tuple(each.record.key for each in await self._all() if each.certificate == wanted)
        if gone:
            await self._store.commit(Txn(deletes=gone), ORIGIN)

    async def _create(self) -> str | None:
        """Make a root, with a number that is free; None if somebody else took it meanwhile."""
        key = await asyncio.to_thread(generate, self._kind)
        pem = to_pem(create_root(self._trust_domain, key, self._clock(), self._lifetime))
        numbers = [int(each.record.key.removeprefix(ROOT_KEYS)) for each in await self._all()]
        put = put_root(max(numbers, default=0) + 1, pem, key_pem(key), self._sealer)
        outcome = await self._store.commit(Txn((put,), expects=(Expect(put.key, 0),)), ORIGIN)
        return pem if isinstance(outcome, int) else None

    async def _key(self, root_pem: str) -> tuple[x509.Certificate, PrivateKey]:
        wanted = x509.load_pem_x509_certificate(root_pem.encode())
        for each in await self._all():
            if each.certificate == wanted:
                key = self._sealer.open(each.record.key, each.sealed).decode()
                return each.certificate, load_key(key, each.certificate)
        raise damaged("the store does not have the key of the active root")

    async def _of_this_domain(self) -> list[_Held]:
        """Others are of a first start that was interrupted: nobody trusts them."""
        return [each for each in await self._all() if trust_domain_of(each.certificate) == self._trust_domain]

    async def _all(self) -> list[_Held]:
        _, records = await self._store.list(ROOT_KEYS)
        return [_decode(record) for record in records]


def _decode(record: Record) -> _Held:
    try:
        stored = msgspec.json.decode(record.value, type=_StoredRoot)
        certificate = x509.load_pem_x509_certificate(stored.certificate_pem.encode())
    except (ValueError, msgspec.MsgspecError) as error:
        raise damaged(f"{record.key} is damaged: {error}") from error
    return _Held(record, certificate, stored.key)

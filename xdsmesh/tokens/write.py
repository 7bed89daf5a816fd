"""Making and deleting tokens over a store, whether a server runs on it or not."""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import uuid4

from xdsmesh.catalog import codec
from xdsmesh.catalog.keys import TOKENS, token_accessor, token_key
from xdsmesh.config.token import TokenBody
from xdsmesh.model.errors import NeededError, NotFoundError
from xdsmesh.model.origin import Origin
from xdsmesh.model.token import Token, digest_of
from xdsmesh.store.base import Conflict, Expect, Put, Store, Txn

_RANDOM_BYTES: Final = 32


async def any_token(store: Store) -> bool:
    """Whether there is one at all."""
    return bool((await store.list(TOKENS))[1])


async def create_token(
    store: Store, wanted: TokenBody, origin: Origin, clock: Callable[[], datetime]
) -> tuple[Token, str]:
    """Store a new token; it, and its secret, which is nowhere else from then on."""
    secret = secrets.token_hex(_RANDOM_BYTES)
    token = Token(str(uuid4()), wanted.identity, digest_of(secret), wanted.description, clock())
    put = Put(token_key(token.accessor), codec.encode_token(token))
    if isinstance(await store.commit(Txn((put,)), origin), Conflict):
        raise TypeError("nothing was expected of the store, and yet it conflicts")
    return token, secret


async def delete_token(store: Store, accessor: str, origin: Origin, *, keep_last: bool) -> None:
    """Delete a token; whoever shows it from then on is not known.

    Raises:
        NotFoundError: there is no such token.
        NeededError: it is the last one, and ``keep_last``.
    """
    while True:
        _, records = await store.list(TOKENS)
        by_accessor = {token_accessor(record.key): record for record in records}
        found = by_accessor.pop(accessor, None)
        if found is None:
            what = f'no token has the accessor "{accessor}"'
            raise NotFoundError(f"{what} (`xdsmesh token list` shows those there are)")
        if keep_last and not by_accessor:
            raise NeededError(
                f"token {accessor} is the last one, and the server listens where other machines reach it:"
                " nobody would have to prove anything any more (create another one first, or start the server"
                " with addresses of the loopback only)"
            )
        others = tuple(Expect(each.key, each.modified) for each in by_accessor.values()) if keep_last else ()
        txn = Txn((), (found.key,), (Expect(found.key, found.modified), *others[:1]))
        if not isinstance(await store.commit(txn, origin), Conflict):
            return

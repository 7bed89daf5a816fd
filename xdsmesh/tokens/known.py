"""The tokens that there are, as the store's revisions tell them."""

from collections.abc import Callable
from typing import Final

from xdsmesh.catalog.feed import Feed
from xdsmesh.catalog.stored import Stored
from xdsmesh.catalog.view import CatalogView
from xdsmesh.model.facts import Batch
from xdsmesh.model.token import Token, digest_of


class Tokens:
    """All tokens, found by the secret that somebody shows.

    ``reached`` says that the server listens where other machines reach it: then tokens are needed, come what
    may.
    """

    def __init__(self, feed: Feed) -> None:
        self.reached = False
        self._view: Final[CatalogView] = feed.view
        self._by_digest: Final[dict[str, Token]] = {}
        self._listeners: Final[list[Callable[[frozenset[str]], object]]] = []
        feed.listen(self._learn)

    @property
    def needed(self) -> bool:
        """Who is not known is not served: there is a token, or others could come."""
        return self.reached or bool(self._by_digest)

    def find(self, secret: str) -> Token | None:
        """The token of a secret. It is looked up by a hash, so its time tells nothing of other secrets."""
        return self._by_digest.get(digest_of(secret)) if secret else None

    def all(self) -> tuple[Stored[Token], ...]:
        """All of them, the oldest first."""
        return tuple(sorted(self._view.tokens.values(), key=lambda each: each.created))

    def listen(self, listener: Callable[[frozenset[str]], object]) -> None:
        """Call this whenever tokens have come or gone, with the accessors of those that are no more."""
        self._listeners.append(listener)

    def _learn(self, batch: Batch) -> None:
        facts = [fact for fact in batch.facts if fact.key[0] == "token"]
        for fact in facts:
            if isinstance(fact.before, Token):
                self._by_digest.pop(fact.before.digest, None)
        for fact in facts:
            if isinstance(fact.value, Token):
                self._by_digest[fact.value.digest] = fact.value
        if facts:
            gone = frozenset(fact.key[1] for fact in facts if fact.before not in (None, fact.value))
            for listener in self._listeners:
                listener(gone)

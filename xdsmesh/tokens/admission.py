"""Streams by the tokens that they were opened with: when a token goes, its streams go."""

from collections import defaultdict
from collections.abc import Callable
from typing import Final

import structlog

from xdsmesh.model.identity import Identity
from xdsmesh.tokens.known import Tokens

_NOBODYS: Final = ""
"""Stands for the accessor of streams that were opened without a token, when none was needed."""

_log: Final = structlog.get_logger(__name__)


class Admission:
    """One open stream, and who opened it; None: nobody had to prove anything then."""

    def __init__(
        self, book: "Admissions", accessor: str, identity: Identity | None, revoke: Callable[[], None]
    ) -> None:
        self._book: Final = book
        self.accessor: Final = accessor
        self.identity: Final = identity
        self.revoke: Final = revoke

    def close(self) -> None:
        """The stream has ended."""
        self._book.forget(self)


class Admissions:
    """Lets streams in by their tokens. Those that were there before the first token stay until they end."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens: Final = tokens
        self._open: Final[defaultdict[str, set[Admission]]] = defaultdict(set)
        self._needed = False
        tokens.listen(self._look)

    def admit(self, secret: str, revoke: Callable[[], None]) -> Admission | None:
        """Let a stream in that shows a secret, or an empty one; None: it must not be served.

        ``revoke`` is called when what it has shown does not hold any more.
        """
        if not self._tokens.needed:
            return self._admitted(_NOBODYS, None, revoke)
        token = self._tokens.find(secret)
        return self._admitted(token.accessor, token.identity, revoke) if token else None

    def forget(self, admission: Admission) -> None:
        """The stream has ended; safe to call twice."""
        admissions = self._open.get(admission.accessor, set())
        admissions.discard(admission)
        if not admissions:
            self._open.pop(admission.accessor, None)

    def _admitted(self, accessor: str, identity: Identity | None, revoke: Callable[[], None]) -> Admission:
        admission = Admission(self, accessor, identity, revoke)
        self._open[accessor].add(admission)
        return admission

    def _look(self, gone: frozenset[str]) -> None:
        for accessor in gone:
            for admission in tuple(self._open.get(accessor, ())):
                admission.revoke()
        before, self._needed = self._needed, self._tokens.needed
        without = len(self._open.get(_NOBODYS, ()))
        if self._needed and not before and without:
            _log.warning(
                "the first token was created: streams that are open without one go on until they end, and new"
                " ones need one",
                streams_without_token=without,
            )

"""The stages of a rotation: what each does to the roots, and what proxies must acknowledge in it. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Final, Self

from xdsmesh.ca.authority import Root, Standing
from xdsmesh.ir.names import LEAF, ROOTS


class Stage(StrEnum):
    """Where a rotation stands."""

    TRUSTING = "trusting"
    """The proxies learn to trust the new root; it has signed nothing yet."""
    ISSUING = "issuing"
    """The new root is the active one, and the proxies get leaves below it; both are trusted."""
    RETIRING = "retiring"
    """The proxies learn to trust the old root no longer."""
    DONE = "done"
    ABORTED = "aborted"
    """It was taken back in its first stage: the old root is trusted alone, as if nothing had been."""


_ORDER: Final = (Stage.TRUSTING, Stage.ISSUING, Stage.RETIRING, Stage.DONE)

AWAITED: Final = {Stage.TRUSTING: ROOTS, Stage.ISSUING: LEAF, Stage.RETIRING: ROOTS}
"""The secret that all connected proxies must have acknowledged before a stage is over."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """A rotation from one root to another. ``entered`` tells when each of its stages began, in order.

    ``old_pem`` is the certificate of the old root, ``old_configuration`` the value in the store that counted
    with it, ``by`` who asked for the rotation, and ``modified`` the revision of the store that last said so;
    0: it is to be stored. The last of ``entered`` is when it ended, if it did.
    """

    old_id: str
    old_pem: str
    old_configuration: bytes
    new_id: str
    by: str
    entered: tuple[datetime, ...]
    aborted: bool = False
    modified: int = 0

    @classmethod
    def begin(cls, old: Root, old_configuration: bytes, new: Root, by: str, now: datetime) -> Self:
        """The rotation between two roots, in its first stage."""
        return cls(old.id, old.certificate_pem, old_configuration, new.id, by, (now,))

    @property
    def stage(self) -> Stage:
        """The latest stage."""
        return Stage.ABORTED if self.aborted else _ORDER[len(self.entered) - 1]

    @property
    def is_under_way(self) -> bool:
        """Whether there is something left to do."""
        return self.stage not in (Stage.DONE, Stage.ABORTED)

    def next(self, now: datetime) -> Self:
        """The same in the stage that follows, to be stored."""
        return replace(self, entered=(*self.entered, now), modified=0)

    def abort(self, now: datetime) -> Self:
        """The same, taken back, to be stored."""
        return replace(self, entered=(*self.entered, now), aborted=True, modified=0)

    def seconds(self, now: datetime) -> Iterator[tuple[Stage, float]]:
        """How long each stage took; the latest one until now."""
        moments = (*self.entered, now) if self.is_under_way else self.entered
        for stage, (begin, end) in zip(_ORDER, pairwise(moments), strict=False):
            yield stage, max(0.0, (end - begin).total_seconds())


def roots_in(stage: Stage, roots: Iterable[Root]) -> tuple[Root, ...]:
    """The roots as they stand once a stage has begun, from how they stood in the one before."""
    if stage is Stage.ISSUING:
        return tuple(replace(root, standing=_FOLLOWS[root.standing]) for root in roots)
    if stage is Stage.RETIRING:
        # Nobody is left who knows only the old root.
        return tuple(replace(root, cross_signed_pem="") for root in roots if root.standing is Standing.ACTIVE)
    if stage is Stage.ABORTED:
        return tuple(root for root in roots if root.standing is not Standing.NEXT)
    return tuple(roots)


_FOLLOWS: Final = {Standing.NEXT: Standing.ACTIVE, Standing.ACTIVE: Standing.RETIRING}

"""Subscriptions of the incremental variant."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache

from xdsmesh.model.resource import EncodedResource, Resources
from xdsmesh.xds.messages import DeltaRequest
from xdsmesh.xds.order import NEVER_REMOVED, ROOTS, WILDCARD
from xdsmesh.xds.subscription import Content, Subscription, Work, own


class DeltaSubscription(Subscription[DeltaRequest]):
    """The incremental variant: names come and go, and removals are told."""

    __slots__ = ()

    def __init__(self, type_url: str) -> None:
        super().__init__(type_url, tells_removals=type_url not in NEVER_REMOVED)

    def update(self, request: DeltaRequest) -> bool:
        """Subscribe, then unsubscribe (X40 to X43, X47, X48)."""
        first, self.started = not self.started, True
        if not first and not request.subscribe and not request.unsubscribe:
            return self.seen is None
        held: Mapping[str, str] = request.initial if first else {}
        if first and not request.subscribe:
            self._want_all(held, legacy=True)
        names = _shared(request.subscribe)
        if WILDCARD in names:
            names = names - {WILDCARD}
            self._want_all(held, legacy=False)
        self.named = self.named | names if self.named else names
        asked = names - held.keys() if held else names
        self.owed = self.owed | asked if self.owed else asked
        for name in request.unsubscribe:
            self._unsubscribe(name)
        if held:
            self.known = {name: version for name, version in held.items() if self.covers(name)}
        if self.ended:
            self._end()
        self.seen = None
        return True

    def compose(
        self, work: Work, resources: Resources, early: AbstractSet[str], *, may_remove: bool
    ) -> Content | None:
        """Only what changed (X61), and what is gone (X66)."""
        del resources
        changed = tuple(it for name, it in work.changed.items() if name not in early)
        removed = (*work.missing, *work.gone) if may_remove else tuple(work.missing)
        if not changed and not removed and not work.due:
            return None
        return changed, removed

    def version(self, resources: tuple[EncodedResource, ...]) -> str:
        """Each resource has its own; of several together there is none."""
        return resources[0].version if len(resources) == 1 else ""

    def _want_all(self, held: Mapping[str, str], *, legacy: bool) -> None:
        if self.wildcard or (legacy and self.type_url not in ROOTS):
            return
        self.wildcard = True
        self.due = not held

    def _unsubscribe(self, name: str) -> None:
        if name == WILDCARD:
            self.wildcard = False
            self.due = False
            self._forget([name for name in (*self.known, *self.rejected) if name not in self.named])
        elif name in self.named:
            self.named = named = own(self.named)
            named.discard(name)
            if self.wildcard:  # X46: the client can't tell whether the wildcard covers it
                self.owed = owed = own(self.owed)
                owed.add(name)
            else:
                self._forget([name])


@lru_cache(maxsize=256)
def _shared(names: tuple[str, ...]) -> frozenset[str]:
    """The names as a set: the same one for all streams that ask for the same."""
    return frozenset(names)

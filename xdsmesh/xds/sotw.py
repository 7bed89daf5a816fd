"""Subscriptions of the variant in which every message tells the state of the world."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from hashlib import blake2b
from typing import Final

from xdsmesh.model.resource import EncodedResource, Resources
from xdsmesh.xds.messages import Response, SotwRequest
from xdsmesh.xds.order import ROOTS, WILDCARD
from xdsmesh.xds.subscription import NO_NAMES, Content, Subscription, Work

_VERSION_BYTES: Final = 8


class SotwSubscription(Subscription[SotwRequest]):
    """State of the world: each request has all names; responses of clusters and listeners are complete."""

    __slots__ = ("_claimed", "_ever_named", "_last")

    def __init__(self, type_url: str) -> None:
        # By leaving them out, where responses are complete (X21).
        super().__init__(type_url, tells_removals=type_url in ROOTS)
        self._ever_named = False
        self._claimed = ""
        self._last: dict[str, EncodedResource] = {}

    def update(self, request: SotwRequest) -> bool:
        """Replace the names (X22, X24, X25, X27). A stale request adds to them, silently (X30, X31)."""
        first, self.started = not self.started, True
        names = set(request.names)
        every = WILDCARD in names
        names.discard(WILDCARD)
        if request.nonce and self.last_nonce and request.nonce != self.last_nonce:
            self._adopt(names)
            return False
        self._ever_named = self._ever_named or every or bool(names)
        wildcard = every or (not self._ever_named and self.type_url in ROOTS)
        if first or wildcard != self.wildcard or names != self.named:
            self._replace(names, wildcard=wildcard)
        if first and wildcard:
            self._claimed = request.version
        return self.seen is None

    def work(self, resources: Resources) -> Work | None:
        """As ever; but a client that comes back with an equal version of all holds all (X33)."""
        claimed, self._claimed = self._claimed, ""
        if claimed and self.tells_removals and claimed == version_of(self._scope(resources).values()):
            self.known = {name: it.version for name, it in self._scope(resources).items()}
            self.due = False
            self.owed = NO_NAMES
        return super().work(resources)

    def compose(
        self, work: Work, resources: Resources, early: AbstractSet[str], *, may_remove: bool
    ) -> Content | None:
        """All of a root type, what changed of others.

        What must wait stays in the set meanwhile, as it was sent last (X56, X59).
        """
        if not self.tells_removals:
            return (tuple(work.changed.values()), ()) if work.changed else None
        removable = work.gone if may_remove else []
        early = early & self._last.keys()
        if not (work.changed.keys() - early or work.due or work.missing or removable):
            return None
        staying = () if may_remove else (name for name in work.gone if name not in self.rejected)
        kept = [self._last[name] for name in (*early, *staying) if name in self._last]
        content = (*(it for it in self._scope(resources).values() if it.name not in early), *kept)
        return content, tuple(removable)

    def sent(self, response: Response, deadline: float) -> None:
        """Remember what was sent, in case that some of it must stay when it is gone."""
        super().sent(response, deadline)
        if self.tells_removals:
            self._last = {it.name: it for it in response.resources}

    def version(self, resources: tuple[EncodedResource, ...]) -> str:
        """Of all together."""
        return version_of(resources)

    def _replace(self, names: set[str], *, wildcard: bool) -> None:
        added = names - self.named
        if added or (wildcard and not self.wildcard):
            self.seen = None
        self.due = (self.due or not self.wildcard) and wildcard and self.type_url in ROOTS
        self.owed = (self.owed & names) | added
        self.named, self.wildcard = names, wildcard
        self._forget([name for name in (*self.known, *self.rejected) if not self.covers(name)])
        if self.ended:
            self._end()

    def _adopt(self, names: set[str]) -> None:
        if not names <= self.named:
            self.named = self.named | names
            self._ever_named = True
            self.seen = None


def version_of(resources: Iterable[EncodedResource]) -> str:
    """A version for several resources together: it depends on names and content, and never on order."""
    digest = blake2b(digest_size=_VERSION_BYTES)
    for name, version in sorted((resource.name, resource.version) for resource in resources):
        digest.update(f"{len(name)}:{name}={version};".encode())
    return digest.hexdigest()

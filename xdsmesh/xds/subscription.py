"""What a client wants of one type on one stream, and what it is known to hold; what both variants share.

"X.." are the rules of the xDS protocol as this package keeps them; ``docs/xds.md`` lists them.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final, Generic, NamedTuple, TypeVar

from msgspec import Struct

from xdsmesh.model.resource import EncodedResource, Resources
from xdsmesh.xds.memo import IdentityMemo
from xdsmesh.xds.messages import Acked, DeltaRequest, Rejected, Response, SotwRequest

_ABSENT: Final = ""
_UNKNOWN: Final = "?"
_DIFFERENCES_KEPT: Final = 64

NO_NAMES: Final[frozenset[str]] = frozenset()

RequestT = TypeVar("RequestT", bound=DeltaRequest | SotwRequest)
Difference = tuple[tuple[EncodedResource, ...], tuple[str, ...]]
"""Resources that are not the same objects as before, and names that are no more."""
Content = tuple[tuple[EncodedResource, ...], tuple[str, ...]]
"""What goes into a response: resources, and names of removed ones."""

_differences: Final[IdentityMemo[Difference]] = IdentityMemo(_DIFFERENCES_KEPT)
"""Many proxies share their mappings, so what changed between two of them is found out once."""


class Rejection(NamedTuple):
    """The version that was in a rejected response; ``blamed`` if it is surely the cause."""

    version: str
    blamed: bool


class Work(Struct, gc=False):
    """What a client lacks. ``due`` is an answer that must be given even when it is empty."""

    changed: dict[str, EncodedResource]
    missing: list[str]
    gone: list[str]
    due: bool


class Subscription(ABC, Generic[RequestT]):
    """One type on one stream, in either variant."""

    __slots__ = (
        "deadline",
        "due",
        "known",
        "last_nonce",
        "named",
        "outstanding",
        "owed",
        "rejected",
        "seen",
        "started",
        "taken",
        "tells_removals",
        "type_url",
        "wildcard",
        "withheld",
    )

    def __init__(self, type_url: str, *, tells_removals: bool) -> None:
        self.type_url: Final = type_url
        self.tells_removals: Final = tells_removals
        """The client is told what is gone; else that goes when what refers to it goes (X29, X58)."""
        self.named: AbstractSet[str] = NO_NAMES  # a set of its own only once it differs from what others have
        self.wildcard = False
        self.started = False
        self.known: dict[str, str] = {}
        """Names and versions that the client holds, or will once it has read what was sent."""
        self.rejected: dict[str, Rejection] = {}
        """Names of rejected responses: what the client holds of them is in doubt."""
        self.owed: AbstractSet[str] = NO_NAMES
        """Names that must be answered though nothing changed."""
        self.due = False
        self.outstanding: Response | None = None
        self.taken: tuple[str, ...] = ()
        """Of the names that it removes, those that the client held."""
        self.deadline = 0.0
        self.last_nonce = ""
        self.seen: Resources | None = None
        """The resources of which nothing is left to send."""
        self.withheld = False
        """Something that changed can't be sent while what it counts on is rejected."""

    @abstractmethod
    def update(self, request: RequestT) -> bool:
        """Take in the names of a request; whether there may be something to send because of it."""

    @abstractmethod
    def compose(
        self, work: Work, resources: Resources, early: AbstractSet[str], *, may_remove: bool
    ) -> Content | None:
        """What the next response holds, or None when all that is left must wait.

        ``early`` are changed names whose change must wait.
        """

    @abstractmethod
    def version(self, resources: tuple[EncodedResource, ...]) -> str:
        """The version of a response with these resources; it depends on content alone (X12)."""

    @property
    def ended(self) -> bool:
        """Nothing is wanted any more."""
        return not self.wildcard and not self.named

    def covers(self, name: str) -> bool:
        """The client wants this name."""
        return self.wildcard or name in self.named

    def work(self, resources: Resources) -> Work | None:
        """What the client lacks of these resources; None if nothing."""
        seen = self.seen
        if seen is resources:
            return None
        if seen is not None and not self.rejected:
            return self._work_since(seen, resources)
        self.withheld = False
        scope = self._scope(resources)
        known = self.known
        changed = {name: it for name, it in scope.items() if known.get(name) != it.version}
        gone = [name for name in known if name not in scope]
        if self.rejected:
            self._weigh_rejected(scope, changed, gone)
        missing = self._weigh_owed(scope, changed, gone) if self.owed else []
        return self._work(changed, missing, gone)

    def _work_since(self, seen: Resources, resources: Resources) -> Work | None:
        """The short way, which nearly every push takes: most resources are the same objects as before."""
        known = self.known
        fresh, gone = _differences.get(seen, resources) or _differences.put(
            _difference(seen, resources), seen, resources
        )
        changed = {it.name: it for it in fresh if known.get(it.name) != it.version and self.covers(it.name)}
        return self._work(changed, [], [name for name in gone if name in known])

    def _work(self, changed: dict[str, EncodedResource], missing: list[str], gone: list[str]) -> Work | None:
        if not self.tells_removals:
            self._forget(gone)
            missing, gone = [], []
        if changed or missing or gone or self.due:
            return Work(changed, missing, gone, self.due)
        return None

    def settle(self, resources: Resources) -> None:
        """Nothing of these resources is left to send."""
        self.seen = None if self.withheld else resources
        self.owed = NO_NAMES

    def sent(self, response: Response, deadline: float) -> None:
        """A response is on its way: the client holds its content unless it says otherwise."""
        for resource in response.resources:
            self.known[resource.name] = resource.version
        self.taken = tuple(it for it in response.removed if it in self.known or it in self.rejected)
        for name in response.removed:
            self.known.pop(name, None)
        if self.rejected:
            for name in _names(response):
                self.rejected.pop(name, None)
        self.owed = NO_NAMES
        self.due = False
        self.outstanding = response
        self.last_nonce = response.nonce
        self.deadline = deadline
        self.seen = None

    def answered(self, request: RequestT) -> Acked | Rejected | None:
        """What a request says about the outstanding response, if anything (X18: by ``error`` alone)."""
        response = self.outstanding
        if response is None or request.nonce != response.nonce:
            return None
        self.outstanding = None
        if request.error is None:
            return Acked(self.type_url, response.nonce, in_doubt=bool(self.rejected))
        names = _names(response)
        self._doubt(response, _blamed(request.error, names))
        return Rejected(self.type_url, response.nonce, request.error, names)

    def give_up_waiting(self) -> None:
        """The outstanding response was never answered: what the client made of it is in doubt (X65)."""
        if self.outstanding is not None:
            self._doubt(self.outstanding, frozenset())
            self.outstanding = None

    def owe(self, names: Iterable[str]) -> bool:
        """Send these again though they did not change; whether any of them is wanted at all."""
        owed = {name for name in names if self.covers(name)}
        if owed:
            self.owed = self.owed | owed
            self.seen = None
        return bool(owed)

    def _scope(self, resources: Resources) -> Resources:
        if self.wildcard:
            return resources
        return {name: resources[name] for name in self.named if name in resources}

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            self.known.pop(name, None)
            self.rejected.pop(name, None)
            if name in self.owed:
                self.owed = owed = own(self.owed)
                owed.discard(name)

    def _end(self) -> None:
        """Envoy neither reads nor acknowledges responses of a type that it has left."""
        self.outstanding = None
        self.due = False
        self.owed = NO_NAMES

    def _doubt(self, response: Response, blamed: frozenset[str]) -> None:
        doubts = {it.name: Rejection(it.version, it.name in blamed) for it in response.resources}
        doubts |= dict.fromkeys(self.taken, Rejection(_ABSENT, blamed=False))
        for name, rejection in doubts.items():
            if self.covers(name):
                self.known.pop(name, None)
                self.rejected[name] = rejection

    def _weigh_rejected(self, scope: Resources, changed: dict[str, EncodedResource], gone: list[str]) -> None:
        """What was rejected is not sent again until it changes, but with it whatever is in doubt (X18, X64).

        What is surely the cause stays out until it changes itself: it would have its healthy neighbours
        rejected again.
        """
        for name, rejection in self.rejected.items():
            if rejection.version == (scope[name].version if name in scope else _ABSENT):
                changed.pop(name, None)
            elif name not in scope:
                gone.append(name)
        lacking = [name for name, it in changed.items() if name in self.known and self._lacks(it, scope)]
        self.withheld = bool(lacking)
        for name in lacking:
            del changed[name]  # what the client has of it works
        if changed or gone:
            self._add_doubts(scope, changed, gone)

    def _lacks(self, resource: EncodedResource, scope: Resources) -> bool:
        """A cluster of clusters counts on a member that the client has rejected (X59)."""
        return any(
            member in scope and self.rejected[member].version == scope[member].version
            for member in resource.members
            if member in self.rejected
        )

    def _add_doubts(self, scope: Resources, changed: dict[str, EncodedResource], gone: list[str]) -> None:
        for name, rejection in self.rejected.items():
            if name in scope:
                if not rejection.blamed:
                    changed[name] = scope[name]
            elif name not in gone:
                gone.append(name)
        # What is gone may have to wait until its users are gone, and must not be forgotten meanwhile.
        for name in gone:
            if self.rejected.pop(name, None):
                self.known[name] = _UNKNOWN
                self.seen = None

    def _weigh_owed(
        self, scope: Resources, changed: dict[str, EncodedResource], gone: list[str]
    ) -> list[str]:
        """Add what must be answered in any case; the names among it that do not exist.

        What the client holds, and is gone, is answered when it may go.
        """
        self.owed = self.owed - set(gone)
        changed |= {name: scope[name] for name in self.owed if name in scope}
        return [name for name in self.owed if name not in scope]


def own(names: AbstractSet[str]) -> set[str]:
    """The names as a set to change in place, so that many changes cost as many steps."""
    return names if isinstance(names, set) else set(names)


def _difference(before: Resources, after: Resources) -> Difference:
    fresh = tuple(it for name, it in after.items() if before.get(name) is not it)
    return fresh, tuple(name for name in before if name not in after)


def _names(response: Response) -> tuple[str, ...]:
    return (*(resource.name for resource in response.resources), *response.removed)


def _blamed(error: str, names: tuple[str, ...]) -> frozenset[str]:
    """The names that are surely the cause: the only one there is, or those that the client names."""
    if len(names) == 1:
        return frozenset(names)
    words = {word.strip(".,:;'\"()[]") for word in re.split(r"[\s,]+", error)}
    return frozenset(words.intersection(names))

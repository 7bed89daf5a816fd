"""Intentions one by one: what ``service-intentions`` entries say of two services, and edits of one of them.

An entry holds all intentions about one destination; clients that think of single intentions see a projection.
Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import structs

from xdsmesh.config.kinds.service_intentions import ALL, ServiceIntentions, SourceIntention
from xdsmesh.config.parts.jwt_requirement import JWTRequirement
from xdsmesh.model.origin import Origin


class Caller(NamedTuple):
    """Who calls: a service, here or in a peer; the name ``*`` is every service there."""

    name: str
    peer: str = ""

    def __str__(self) -> str:
        return f"peer:{self.peer}/{self.name}" if self.peer else self.name


@dataclass(frozen=True, slots=True)
class Intention:
    """What one caller may do at one destination.

    The revisions and the origin are those of the entry that says so; an ``origin`` of None is not known.
    """

    destination: str
    source: SourceIntention
    created: int = 0
    modified: int = 0
    meta: Mapping[str, str] = field(default_factory=dict)
    jwt: JWTRequirement | None = None
    origin: Origin | None = None

    @property
    def caller(self) -> Caller:
        """Who it is about."""
        return Caller(*self.source.identity)

    @property
    def verdict(self) -> str:
        """``allow``, ``deny``, or how many permissions decide about each request."""
        count = len(self.source.permissions)
        return self.source.action or f"{count} permission{'s' if count > 1 else ''}"

    def __str__(self) -> str:
        return f"{self.caller} => {self.destination} ({self.verdict})"


def intentions_of(
    entry: ServiceIntentions, created: int = 0, modified: int = 0, origin: Origin | None = None
) -> Iterator[Intention]:
    """The single intentions of an entry. Those of the older calls have a Meta of their own."""
    for source in entry.sources:
        meta = source.legacy_meta if source.legacy_id else entry.meta
        yield Intention(entry.name, source, created, modified, meta, entry.jwt, origin)


def in_order(intentions: Iterable[Intention]) -> list[Intention]:
    """In the order in which they are looked at: the more exactly one names its services, the earlier.

    Of two that match the same call, one always comes first for that reason; the rest is by name.
    """
    return sorted(
        intentions,
        key=lambda each: (-each.source.precedence, each.source.peer, each.source.name, each.destination),
    )


def to_destination(intentions: Iterable[Intention], name: str) -> list[Intention]:
    """Those that may decide about calls of a service, in order."""
    return in_order(each for each in intentions if each.destination in (name, ALL))


def from_source(intentions: Iterable[Intention], name: str) -> list[Intention]:
    """Those that may decide about calls by a service of this cluster, in order."""
    return in_order(each for each in intentions if not each.source.peer and each.source.name in (name, ALL))


def deciding(intentions: Iterable[Intention], caller: Caller, destination: str) -> Intention | None:
    """The one that decides about a caller and a destination; None: there is none."""
    callers = (caller, Caller(ALL, caller.peer))
    return next((each for each in to_destination(intentions, destination) if each.caller in callers), None)


def allows(decision: Intention | None, *, by_default: bool) -> bool:
    """Whether a connection may be made, whatever is then sent over it: permissions alone promise nothing."""
    return by_default if decision is None else decision.source.action == "allow"


def with_source(
    entry: ServiceIntentions | None, destination: str, source: SourceIntention
) -> ServiceIntentions:
    """An entry (None: there is none yet) that says this of the source, whatever it said of it before."""
    entry = entry or ServiceIntentions(name=destination)
    known = any(each.identity == source.identity for each in entry.sources)
    sources = [source if each.identity == source.identity else each for each in entry.sources]
    return structs.replace(entry, sources=sources if known else [*sources, source]).arranged()


def without_source(entry: ServiceIntentions, caller: Caller) -> ServiceIntentions | None:
    """An entry that says nothing of the caller; None: then it says nothing at all."""
    sources = [each for each in entry.sources if each.identity != caller]
    return structs.replace(entry, sources=sources) if sources else None

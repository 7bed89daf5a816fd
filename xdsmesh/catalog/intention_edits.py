"""Edits of single intentions: each rewrites the entry of its destination, and loses nobody else's edit."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, TypeVar

from xdsmesh.catalog.repository import Repository
from xdsmesh.catalog.stored import Stored
from xdsmesh.config.entry import Entry
from xdsmesh.config.intention import IntentionBody
from xdsmesh.config.intentions import Caller, with_source, without_source
from xdsmesh.config.kinds.service_intentions import ServiceIntentions, SourceIntention
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError
from xdsmesh.model.origin import Origin

KIND: Final = ServiceIntentions.KIND

Before = Stored[ServiceIntentions] | None
"""The entry as it is; None: there is none."""

T = TypeVar("T", ServiceIntentions, ServiceIntentions | None)
Change = Callable[[Before], T]
"""What becomes of it; None: there is to be none."""

_NAMES: Final = {"Name": "DestinationName", "Sources[0].Name": "SourceName", "Sources[0].Peer": "SourcePeer"}
"""What is called otherwise in an entry than in an intention."""


async def put_intention(
    repository: Repository, caller: Caller, destination: str, body: IntentionBody, origin: Origin
) -> ServiceIntentions:
    """Say this of a caller, whatever was said of it before; the entry that does so now.

    Raises:
        RefusedError: the names or the body are wrong, or the entry would not fit others.
        OwnershipError: the entry belongs to a file.
    """
    source = body.source(caller.name, caller.peer, destination)
    check_alone(destination, source)

    def put(before: Before) -> ServiceIntentions:
        _check_shared(before.value if before else ServiceIntentions(name=destination), body)
        return with_source(before.value if before else None, destination, source)

    return await edit(repository, destination, put, origin)


async def remove_intention(repository: Repository, caller: Caller, destination: str, origin: Origin) -> None:
    """Say nothing of a caller any more, if anything is said. The last one takes its entry along.

    Raises:
        OwnershipError: the entry belongs to a file.
    """

    def remove(before: Before) -> ServiceIntentions | None:
        return without_source(before.value, caller) if before else None

    await edit(repository, destination, remove, origin)


async def edit(repository: Repository, destination: str, change: Change[T], origin: Origin) -> T:
    """Change the entry of a destination, and return it; tried again when somebody else was faster.

    Raises:
        RefusedError: it would not fit other entries.
        OwnershipError: it belongs to a file.
    """
    while True:
        before = intentions_entry(await repository.entry(KIND, destination))
        after = change(before)
        cas = before.modified if before else 0
        if after is not None:
            done = await repository.put_entry(after, origin, cas)
        else:
            done = before is None or await repository.delete_entry(KIND, destination, origin, cas)
        if done:
            return after


def intentions_entry(stored: Stored[Entry] | None) -> Before:
    """A stored entry as what it is."""
    if stored is None or not isinstance(stored.value, ServiceIntentions):
        return None
    return Stored(stored.value, stored.origin, stored.created, stored.modified)


def check_alone(destination: str, source: SourceIntention) -> None:
    """Check an intention by itself.

    Raises:
        RefusedError: with all that is wrong with it, in the names of an intention's fields.
    """
    problems = tuple(_problems(ServiceIntentions(name=destination, sources=[source])))
    if problems:
        raise RefusedError(*problems)


def _problems(entry: ServiceIntentions) -> Iterator[Problem]:
    for problem in entry.problems():
        path = problem.place.path
        named = _NAMES.get(path, path.removeprefix("Sources[0]").removeprefix("."))
        yield replace(problem, place=replace(problem.place, path=named))


def _check_shared(entry: ServiceIntentions, body: IntentionBody) -> None:
    """What all intentions of an entry share may come along with one of them, but not be changed."""
    problems = [
        Problem(
            Place(path=label),
            f"{label} must not be specified, or be that of the entry, {KIND}/{entry.name}",
            "leave it out, or write the entry with `xdsmesh config write`",
            code=Code.OWNED_BY_ANOTHER,
        )
        for label, given, own in (("Meta", body.meta, entry.meta), ("JWT", body.jwt, entry.jwt))
        if given and given != own
    ]
    if problems:
        raise RefusedError(*problems)

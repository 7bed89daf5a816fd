"""Consul's older calls for intentions, which know each by an id.

They may change an entry only while nothing else has written it: what else an entry can say would be lost on
clients that know no more than they do.
"""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import structs

from xdsmesh.catalog.intention_edits import KIND, Before, T, check_alone, edit, intentions_entry
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.intention import LegacyIntentionBody
from xdsmesh.config.intentions import Caller, Intention, intentions_of, with_source, without_source
from xdsmesh.config.kinds.service_intentions import ServiceIntentions, SourceIntention
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import NotFoundError, Place, Problem, RefusedError
from xdsmesh.model.origin import Origin

Pair = tuple[Caller, str]
"""A caller and a destination."""


async def find(repository: Repository, intention_id: str) -> Intention:
    """The intention of an id.

    Raises:
        NotFoundError: there is none.
    """
    _, stored = await repository.entries(KIND)
    for entry in filter(None, map(intentions_entry, stored)):
        for each in intentions_of(entry.value, entry.created, entry.modified):
            if each.source.legacy_id == intention_id:
                return each
    raise _unknown(intention_id)


@dataclass(frozen=True, slots=True)
class LegacyWrite:
    """A write by one of the older calls: who writes, and when, as RFC 3339 has it."""

    repository: Repository
    origin: Origin
    now: str

    async def create(self, pair: Pair, body: LegacyIntentionBody, intention_id: str) -> ServiceIntentions:
        """Make an intention that is new; the entry that it is in.

        Raises:
            RefusedError: there is one for these services, or other calls write the entry of the destination.
            OwnershipError: the entry belongs to a file.
        """
        if body.id:
            what = "ID must be empty when creating a new intention"
            raise RefusedError(Problem(Place(path="ID"), what, "leave it out", code=Code.WRITTEN_BY_SERVER))
        caller, destination = pair
        made = self._source(pair, body, intention_id, self.now)

        def add(before: Before) -> ServiceIntentions:
            entry = self._editable(before, destination)
            if entry:
                _refuse_duplicate(entry, caller)
            return with_source(entry, destination, made)

        return await edit(self.repository, destination, add, self.origin)

    async def update(self, pair: Pair, body: LegacyIntentionBody, intention_id: str) -> ServiceIntentions:
        """Say something else under an id; also of another caller, but not of another destination.

        Raises:
            NotFoundError: there is no such id.
            RefusedError: the destination is another one, there is an intention of that caller, or other calls
                write the entry of the destination.
            OwnershipError: the entry belongs to a file.
        """
        caller, destination = pair
        known = await find(self.repository, intention_id)
        if known.destination != destination:
            what = f'the destination of an intention can\'t be changed; this is one of "{known.destination}"'
            place, remedy = Place(path="DestinationName"), "delete it, and create another one"
            raise RefusedError(Problem(place, what, remedy, code=Code.NOT_A_CHOICE))
        new = self._source(pair, body, intention_id, known.source.legacy_create_time)

        def replace(old: SourceIntention, entry: ServiceIntentions) -> ServiceIntentions:
            if Caller(*old.identity) != caller:
                _refuse_duplicate(entry, caller)
            sources = [new if each is old else each for each in entry.sources]
            return structs.replace(entry, sources=sources).arranged()

        return await self._edit_known(intention_id, destination, replace)

    async def delete(self, intention_id: str) -> None:
        """Delete the intention of an id.

        Raises:
            NotFoundError: there is none.
            RefusedError: other calls write the entry of its destination.
            OwnershipError: the entry belongs to a file.
        """
        known = await find(self.repository, intention_id)

        def remove(old: SourceIntention, entry: ServiceIntentions) -> ServiceIntentions | None:
            return without_source(entry, Caller(*old.identity))

        await self._edit_known(intention_id, known.destination, remove)

    def _source(
        self, pair: Pair, body: LegacyIntentionBody, intention_id: str, created: str
    ) -> SourceIntention:
        caller, destination = pair
        source = body.source(caller.name, caller.peer, destination)
        check_alone(destination, source)
        return structs.replace(
            source,
            legacy_id=intention_id,
            legacy_meta=body.meta,
            legacy_create_time=created,
            legacy_update_time=self.now,
        )

    async def _edit_known(
        self, intention_id: str, destination: str, change: Callable[[SourceIntention, ServiceIntentions], T]
    ) -> T:
        def changed(before: Before) -> T:
            entry = self._editable(before, destination)
            sources = entry.sources if entry else []
            old = next((each for each in sources if each.legacy_id == intention_id), None)
            if entry is None or old is None:
                raise _unknown(intention_id)
            return change(old, entry)

        return await edit(self.repository, destination, changed, self.origin)

    def _editable(self, before: Before, destination: str) -> ServiceIntentions | None:
        """The entry, if these calls may change it; one of a file is left to the repository to refuse."""
        if before is None:
            return None
        entry = before.value
        is_legacy = all(source.legacy_id for source in entry.sources) and not (entry.meta or entry.jwt)
        if is_legacy or before.origin.source is not self.origin.source:
            return entry
        what = (
            f'cannot use legacy intention API to edit intentions with a destination of "{destination}" '
            "after editing them via a service-intentions config entry"
        )
        remedy = f"edit {KIND}/{destination}, or use /v1/connect/intentions/exact"
        raise RefusedError(Problem(Place(), what, remedy, code=Code.OWNED_BY_ANOTHER))


def _refuse_duplicate(entry: ServiceIntentions, caller: Caller) -> None:
    for each in intentions_of(entry):
        if each.caller == caller:
            remedy = f"change that one: its ID is {each.source.legacy_id}" if each.source.legacy_id else ""
            what = f"duplicate intention found: {each}"
            raise RefusedError(Problem(Place(), what, remedy, code=Code.DECLARED_TWICE))


def _unknown(intention_id: str) -> NotFoundError:
    return NotFoundError(f'Intention not found: there is none with the ID "{intention_id}"')

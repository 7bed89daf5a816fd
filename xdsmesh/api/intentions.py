"""``/v1/connect/intentions``: who may call whom, one pair of services at a time.

Source: https://developer.hashicorp.com/consul/api-docs/connect/intentions
"""

from collections.abc import Iterable
from typing import Final

from litestar import delete, get, put
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import RawBody
from litestar.status_codes import HTTP_200_OK

from xdsmesh.api.about import About
from xdsmesh.api.changes import entries_topic, entry_topic
from xdsmesh.api.intention_query import one, pair_of, service_of
from xdsmesh.api.intention_shape import IntentionRow, intention_row
from xdsmesh.api.narrow import filter_of
from xdsmesh.api.queries import Queries, Seen
from xdsmesh.api.reply import Reply, Sent
from xdsmesh.api.request import AnyRequest, author
from xdsmesh.catalog.decide import entry_warnings
from xdsmesh.catalog.intention_edits import KIND, intentions_entry, put_intention, remove_intention
from xdsmesh.catalog.intentions import (
    Intention,
    allows,
    deciding,
    from_source,
    in_order,
    intentions_of,
    to_destination,
)
from xdsmesh.catalog.repository import Repository, Stored
from xdsmesh.config.entry import Entry
from xdsmesh.config.files import decode_definition
from xdsmesh.config.intention import IntentionBody
from xdsmesh.config.kinds.service_intentions import ALL, TYPE
from xdsmesh.settings import IntentionPolicy

_BY: Final = {"source": from_source, "destination": to_destination}


@get("/v1/connect/intentions")
async def read_all(
    request: AnyRequest, repository: NamedDependency[Repository], queries: NamedDependency[Queries]
) -> Sent:
    """All intentions, or those that ``?filter`` asks for, in the order in which they are looked at."""
    is_wanted = filter_of(request, IntentionRow)

    async def look() -> Seen:
        shown = [intention_row(each) for each in in_order(await every_intention(repository))]
        return Seen([each for each in shown if is_wanted(each)], frozenset({entries_topic(KIND)}))

    return await queries.answer(request, look)


@get("/v1/connect/intentions/exact")
async def read(
    request: AnyRequest, repository: NamedDependency[Repository], queries: NamedDependency[Queries]
) -> Sent:
    """The intention of just this source and destination."""
    caller, destination = pair_of(request)

    async def look() -> Seen:
        topics = frozenset({entry_topic(KIND, destination)})
        found = [each for each in await _about(repository, destination) if each.caller == caller]
        if not found:
            return Seen(None, topics, missing=f"Intention not found: {caller} => {destination}")
        return Seen(intention_row(found[0]), topics)

    return await queries.answer(request, look)


@put("/v1/connect/intentions/exact")
async def write(request: AnyRequest, body: RawBody, repository: NamedDependency[Repository]) -> Reply[bool]:
    """Say of a source and a destination whether they may talk. The names in the URL count."""
    caller, destination = pair_of(request)
    wanted = decode_definition(body, IntentionBody)
    entry = await put_intention(repository, caller, destination, wanted, author(request))
    return Reply(content=True, warnings=entry_warnings(entry))


@delete("/v1/connect/intentions/exact", status_code=HTTP_200_OK)
async def remove(request: AnyRequest, repository: NamedDependency[Repository]) -> Reply[bool]:
    """Delete an intention, if it is there."""
    await remove_intention(repository, *pair_of(request), author(request))
    return Reply(content=True)


@get("/v1/connect/intentions/match")
async def match(
    request: AnyRequest, repository: NamedDependency[Repository], queries: NamedDependency[Queries]
) -> Sent:
    """The intentions about each ``?name``, as a source or a destination (``?by``), with the wildcards."""
    by = one(request, "by")
    if by not in _BY:
        raise ClientException(f"'by' parameter must be one of 'source' or 'destination', not {by!r}")
    names = request.query_params.getall("name", [])
    if not names or not all(names):
        raise ClientException("required query parameter 'name' not set (add ?name= and a service)")
    services = {name: service_of(name) for name in names}

    async def look() -> Seen:
        intentions = await every_intention(repository)
        found = {name: _BY[by](intentions, service) for name, service in services.items()}
        shown = {name: [intention_row(each) for each in matching] or None for name, matching in found.items()}
        return Seen(shown, frozenset({entries_topic(KIND)}))

    return await queries.answer(request, look)


@get("/v1/connect/intentions/check")
async def check(
    request: AnyRequest, repository: NamedDependency[Repository], about: NamedDependency[About]
) -> Reply[dict[str, bool]]:
    """Whether the intentions let a source connect to a destination; it is not what proxies do, yet."""
    caller, destination = pair_of(request)
    source_type = request.query_params.get("source-type") or TYPE
    if source_type != TYPE:
        raise ClientException(f"Invalid source-type: {source_type!r} (there is only {TYPE!r})")
    decision = deciding(await intentions_about(repository, destination), caller, destination)
    by_default = about.default_intention_policy is IntentionPolicy.ALLOW
    return Reply({"Allowed": allows(decision, by_default=by_default)})


async def every_intention(repository: Repository) -> list[Intention]:
    """All that there are."""
    _, stored = await repository.entries(KIND)
    return _project(stored)


async def intentions_about(repository: Repository, destination: str) -> list[Intention]:
    """Those that may decide about calls of a service."""
    about_all = await _about(repository, ALL) if destination != ALL else []
    return [*await _about(repository, destination), *about_all]


async def _about(repository: Repository, destination: str) -> list[Intention]:
    stored = await repository.entry(KIND, destination)
    return _project([stored] if stored else [])


def _project(stored: Iterable[Stored[Entry]]) -> list[Intention]:
    entries = filter(None, map(intentions_entry, stored))
    return [each for entry in entries for each in intentions_of(entry.value, entry.created, entry.modified)]

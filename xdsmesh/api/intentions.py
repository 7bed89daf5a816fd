"""``/v1/connect/intentions``: who may call whom, one pair of services at a time.

Source: https://developer.hashicorp.com/consul/api-docs/connect/intentions
"""

from collections.abc import Iterable
from typing import Final

from litestar import delete, get, put
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import RawBody
from litestar.status_codes import HTTP_200_OK, HTTP_404_NOT_FOUND, HTTP_409_CONFLICT

from xdsmesh.api.about import About
from xdsmesh.api.changes import entries_topic, entry_topic
from xdsmesh.api.intention_query import one, pair_of, service_of
from xdsmesh.api.intention_shape import IntentionRow, intention_row
from xdsmesh.api.narrow import filter_of
from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.openapi.parameters import BY_INDEX, FILTER
from xdsmesh.api.queries import Queries, Seen
from xdsmesh.api.reply import Reply, Sent
from xdsmesh.api.request import AnyRequest, author
from xdsmesh.catalog.decide import entry_warnings
from xdsmesh.catalog.intention_edits import KIND, intentions_entry, put_intention, remove_intention
from xdsmesh.catalog.repository import Repository
from xdsmesh.catalog.stored import Stored
from xdsmesh.catalog.view import CatalogView
from xdsmesh.config.entry import Entry
from xdsmesh.config.files import decode_definition
from xdsmesh.config.intention import IntentionBody
from xdsmesh.config.intentions import (
    Intention,
    allows,
    deciding,
    from_source,
    in_order,
    intentions_of,
    to_destination,
)
from xdsmesh.config.kinds.service_intentions import ALL, TYPE
from xdsmesh.settings import IntentionPolicy

_BY: Final = {"source": from_source, "destination": to_destination}

SOURCE: Final = Parameter("source", "The service that calls.")
DESTINATION: Final = Parameter("destination", "The service that is called.")
BY: Final = Parameter("by", "What the names are.", {"type": "string", "enum": list(_BY)})
NAMES: Final = Parameter(
    "name", "A service; or several.", {"type": "array", "items": {"type": "string"}, "minItems": 1}
)
SOURCE_TYPE: Final = Parameter("source-type", "What the source is.", {"type": "string", "enum": [TYPE]})


@get("/v1/connect/intentions", opt=doc(*BY_INDEX, FILTER, reply=list[IntentionRow]))
async def read_all(request: AnyRequest, queries: NamedDependency[Queries]) -> Sent:
    """All intentions, or those that ``?filter`` asks for, in the order in which they are looked at."""
    is_wanted = filter_of(request, IntentionRow)

    def look() -> Seen:
        shown = [intention_row(each) for each in in_order(_every_intention(queries.view))]
        return Seen([each for each in shown if is_wanted(each)], frozenset({entries_topic(KIND)}))

    return await queries.answer(request, look)


@get(
    "/v1/connect/intentions/exact",
    opt=doc(SOURCE, DESTINATION, *BY_INDEX, reply=IntentionRow, errors=(HTTP_404_NOT_FOUND,)),
)
async def read(request: AnyRequest, queries: NamedDependency[Queries]) -> Sent:
    """The intention of just this source and destination."""
    caller, destination = pair_of(request)

    def look() -> Seen:
        topics = frozenset({entry_topic(KIND, destination)})
        found = [each for each in _about(queries.view, destination) if each.caller == caller]
        if not found:
            return Seen(None, topics, missing=f"Intention not found: {caller} => {destination}")
        return Seen(intention_row(found[0]), topics)

    return await queries.answer(request, look)


@put(
    "/v1/connect/intentions/exact",
    opt=doc(SOURCE, DESTINATION, body=IntentionBody, reply=bool, errors=(HTTP_409_CONFLICT,)),
)
async def write(request: AnyRequest, body: RawBody, repository: NamedDependency[Repository]) -> Reply[bool]:
    """Say of a source and a destination whether they may talk. The names in the URL count."""
    caller, destination = pair_of(request)
    wanted = decode_definition(body, IntentionBody)
    entry = await put_intention(repository, caller, destination, wanted, author(request))
    return Reply(content=True, warnings=entry_warnings(entry))


@delete(
    "/v1/connect/intentions/exact",
    status_code=HTTP_200_OK,
    opt=doc(SOURCE, DESTINATION, reply=bool, errors=(HTTP_409_CONFLICT,)),
)
async def remove(request: AnyRequest, repository: NamedDependency[Repository]) -> Reply[bool]:
    """Delete an intention, if it is there."""
    await remove_intention(repository, *pair_of(request), author(request))
    return Reply(content=True)


@get(
    "/v1/connect/intentions/match",
    opt=doc(BY, NAMES, *BY_INDEX, reply=dict[str, list[IntentionRow] | None]),
)
async def match(request: AnyRequest, queries: NamedDependency[Queries]) -> Sent:
    """The intentions about each ``?name``, as a source or a destination (``?by``), with the wildcards."""
    by = one(request, "by")
    if by not in _BY:
        raise ClientException(f"'by' parameter must be one of 'source' or 'destination', not {by!r}")
    names = request.query_params.getall("name", [])
    if not names or not all(names):
        raise ClientException("required query parameter 'name' not set (add ?name= and a service)")
    services = {name: service_of(name) for name in names}

    def look() -> Seen:
        intentions = _every_intention(queries.view)
        found = {name: _BY[by](intentions, service) for name, service in services.items()}
        shown = {name: [intention_row(each) for each in matching] or None for name, matching in found.items()}
        return Seen(shown, frozenset({entries_topic(KIND)}))

    return await queries.answer(request, look)


@get(
    "/v1/connect/intentions/check",
    opt=doc(SOURCE, DESTINATION, SOURCE_TYPE, reply=dict[str, bool]),
)
async def check(
    request: AnyRequest, queries: NamedDependency[Queries], about: NamedDependency[About]
) -> Reply[dict[str, bool]]:
    """Whether a source may connect to a destination, whatever it then asks: permissions promise nothing."""
    caller, destination = pair_of(request)
    source_type = request.query_params.get("source-type") or TYPE
    if source_type != TYPE:
        raise ClientException(f"Invalid source-type: {source_type!r} (there is only {TYPE!r})")
    await queries.feed.catch_up()
    decision = deciding(intentions_about(queries.view, destination), caller, destination)
    by_default = about.default_intention_policy is IntentionPolicy.ALLOW
    return Reply({"Allowed": allows(decision, by_default=by_default)})


def intentions_about(view: CatalogView, destination: str) -> list[Intention]:
    """Those that may decide about calls of a service."""
    about_all = _about(view, ALL) if destination != ALL else []
    return [*_about(view, destination), *about_all]


def _every_intention(view: CatalogView) -> list[Intention]:
    return _project(view.entries_of(KIND))


def _about(view: CatalogView, destination: str) -> list[Intention]:
    stored = view.entries.get((KIND, destination))
    return _project([stored] if stored else [])


def _project(stored: Iterable[Stored[Entry]]) -> list[Intention]:
    entries = filter(None, map(intentions_entry, stored))
    return [
        each
        for entry in entries
        for each in intentions_of(entry.value, entry.created, entry.modified, entry.origin)
    ]

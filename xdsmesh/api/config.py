"""``/v1/config``: config entries, written whole and read back as they were written."""

from typing import Any, Final

import msgspec
from litestar import delete, get, put
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import FromPath, RawBody
from litestar.status_codes import HTTP_200_OK, HTTP_404_NOT_FOUND, HTTP_409_CONFLICT

from xdsmesh.api.changes import entries_topic, entry_topic
from xdsmesh.api.encode import entry_body
from xdsmesh.api.narrow import filter_of
from xdsmesh.api.openapi.declare import doc
from xdsmesh.api.openapi.parameters import BY_INDEX, CAS, ENTRY_NAME, FILTER, KIND
from xdsmesh.api.queries import Queries, Seen
from xdsmesh.api.reply import Reply, Sent
from xdsmesh.api.request import AnyRequest, author, tail, unsigned
from xdsmesh.catalog.decide import entry_warnings
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.entry import Entry
from xdsmesh.config.files import decode_entry
from xdsmesh.config.kinds import INTERNAL_KINDS, KINDS
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.model.errors import NotFoundError

_NEVER_WRITTEN: Final = INTERNAL_KINDS | {"sameness-group"}


@put("/v1/config", opt=doc(CAS, body=Entry, reply=bool, errors=(HTTP_409_CONFLICT,)))
async def write(request: AnyRequest, body: RawBody, repository: NamedDependency[Repository]) -> Reply[bool]:
    """Write an entry whole. What is accepted and has no effect is told in headers.

    ``cas`` is the ``ModifyIndex`` that it must have for that, 0: it must not exist; else the answer is false.
    """
    cas = unsigned(request, "cas")
    entry = decode_entry(body)
    done = await repository.put_entry(entry, author(request), cas)
    return Reply(done, entry_warnings(entry) if done else ())


@put("/v1/xdsmesh/config", opt=doc(body=list[Entry], reply=bool, errors=(HTTP_409_CONFLICT,)))
async def write_all(
    request: AnyRequest, body: RawBody, repository: NamedDependency[Repository]
) -> Reply[bool]:
    """Write the entries of a JSON list together or not at all. This path is our own."""
    try:
        bodies = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ClientException(
            f"Request decode failed: a list of config entries is expected: {error}"
        ) from error
    entries = [decode_entry(bytes(each)) for each in bodies]
    await repository.put_entries(entries, author(request))
    return Reply(content=True, warnings=[warning for entry in entries for warning in entry_warnings(entry)])


@get(
    "/v1/config/{kind:str}/{name:path}",
    opt=doc(KIND, ENTRY_NAME, *BY_INDEX, reply=Entry, errors=(HTTP_404_NOT_FOUND,)),
)
async def read(
    request: AnyRequest,
    kind: FromPath[str],
    queries: NamedDependency[Queries],
) -> Sent:
    """One entry."""
    _check_readable(kind)
    name = tail(request)

    def look() -> Seen:
        stored = queries.view.entries.get((kind, name))
        topics = frozenset({entry_topic(kind, name)})
        if stored is None:
            return Seen(None, topics, missing=f'Config entry not found for "{kind}" / "{name}"')
        return Seen(entry_body(stored), topics)

    return await queries.answer(request, look)


@get("/v1/config/{kind:str}", opt=doc(KIND, *BY_INDEX, FILTER, reply=list[Entry]))
async def read_all(
    request: AnyRequest,
    kind: FromPath[str],
    queries: NamedDependency[Queries],
) -> Sent:
    """All entries of a kind, sorted by name; of service-defaults those that ``?filter`` asks for."""
    _check_readable(kind)
    if request.query_params.get("filter") and kind != ServiceDefaults.KIND:
        raise ClientException(
            f"Invalid filter: of config entries only {ServiceDefaults.KIND} can be filtered"
        )
    is_wanted = filter_of(request, KINDS.get(kind, Entry))

    def look() -> Seen:
        entries = queries.view.entries_of(kind)
        shown = [entry_body(each) for each in entries if is_wanted(each.value)]
        return Seen(shown, frozenset({entries_topic(kind)}))

    return await queries.answer(request, look)


@delete(
    ["/v1/config/{kind:str}", "/v1/config/{kind:str}/{name:path}"],
    status_code=HTTP_200_OK,
    opt=doc(
        KIND,
        ENTRY_NAME,
        CAS,
        reply=dict[str, Any] | bool,
        errors=(HTTP_404_NOT_FOUND, HTTP_409_CONFLICT),
    ),
)
async def remove(
    request: AnyRequest, kind: FromPath[str], repository: NamedDependency[Repository]
) -> Reply[dict[str, Any] | bool]:
    """Delete an entry, if it is there; with ``cas`` the answer is whether it did match."""
    if "name" not in request.path_params:
        raise NotFoundError(f"Invalid URL path: the name of the {kind} to delete is missing in it")
    _check_kind(kind)
    cas = unsigned(request, "cas")
    done = await repository.delete_entry(kind, tail(request), author(request), cas)
    return Reply(done if cas is not None else {})


def _check_readable(kind: str) -> None:
    """Whoever reads may also ask for kinds that nobody can write; there are never any."""
    if kind not in _NEVER_WRITTEN:
        _check_kind(kind)


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise ClientException(f'Invalid config entry kind "{kind}" (there are {", ".join(sorted(KINDS))})')

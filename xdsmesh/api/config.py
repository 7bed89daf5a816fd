"""``/v1/config``: config entries, written whole and read back as they were written."""

from typing import Annotated, Any

import msgspec
from litestar import delete, get, put
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import FromPath, QueryParameter, RawBody
from litestar.status_codes import HTTP_200_OK

from xdsmesh.api.encode import entry_body
from xdsmesh.api.reply import Reply
from xdsmesh.api.request import AnyRequest, author, tail
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.files import decode_entry
from xdsmesh.config.kinds import KINDS
from xdsmesh.model.errors import NotFoundError

CheckAndSet = Annotated[int | None, QueryParameter(ge=0)]
"""The ``ModifyIndex`` that the entry must have for the change to be made; 0: it must not exist."""


@put("/v1/config")
async def write(
    request: AnyRequest, body: RawBody, repository: NamedDependency[Repository], cas: CheckAndSet = None
) -> Reply[bool]:
    """Write an entry whole; false when ``cas`` does not match."""
    return Reply(await repository.put_entry(decode_entry(body), author(request), cas))


@put("/v1/xdsmesh/config")
async def write_all(
    request: AnyRequest, body: RawBody, repository: NamedDependency[Repository]
) -> Reply[bool]:
    """Write the entries of a JSON list together or not at all. This path is our own."""
    try:
        bodies = msgspec.json.decode(body, type=list[msgspec.Raw])
    except msgspec.MsgspecError as error:
        raise ClientException(
            f"Request decode failed: a list of config entries is expected: {error}"
        ) from error
    await repository.put_entries([decode_entry(bytes(each)) for each in bodies], author(request))
    return Reply(content=True)


@get("/v1/config/{kind:str}/{name:path}")
async def read(
    request: AnyRequest, kind: FromPath[str], repository: NamedDependency[Repository]
) -> Reply[dict[str, Any]]:
    """One entry."""
    _check_kind(kind)
    name = tail(request)
    stored = await repository.entry(kind, name)
    if stored is None:
        raise NotFoundError(f'Config entry not found for "{kind}" / "{name}"')
    return Reply(entry_body(stored), index=stored.modified)


@get("/v1/config/{kind:str}")
async def read_all(
    kind: FromPath[str], repository: NamedDependency[Repository]
) -> Reply[list[dict[str, Any]]]:
    """All entries of a kind, sorted by name."""
    _check_kind(kind)
    revision, entries = await repository.entries(kind)
    return Reply([entry_body(each) for each in entries], index=revision)


@delete("/v1/config/{kind:str}/{name:path}", status_code=HTTP_200_OK)
async def remove(
    request: AnyRequest,
    kind: FromPath[str],
    repository: NamedDependency[Repository],
    cas: CheckAndSet = None,
) -> Reply[dict[str, Any] | bool]:
    """Delete an entry, if it is there; with ``cas`` the answer is whether it did match."""
    _check_kind(kind)
    done = await repository.delete_entry(kind, tail(request), author(request), cas)
    return Reply(done if cas is not None else {})


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise ClientException(f'Invalid config entry kind "{kind}" (there are {", ".join(sorted(KINDS))})')

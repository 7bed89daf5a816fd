"""``/v1/connect/intentions`` by ids, as Consul had it before intentions became config entries."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import FromPath, RawBody
from litestar.status_codes import HTTP_200_OK, HTTP_404_NOT_FOUND, HTTP_409_CONFLICT

from xdsmesh.api.intention_query import service_of
from xdsmesh.api.intention_shape import IntentionRow, intention_row
from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.reply import Reply
from xdsmesh.api.request import AnyRequest, author
from xdsmesh.catalog.decide import entry_warnings
from xdsmesh.catalog.legacy_intentions import LegacyWrite, Pair, find
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.files import decode_definition
from xdsmesh.config.intention import LegacyIntentionBody
from xdsmesh.config.intentions import Caller

INTENTION_ID: Final = Parameter("intention_id", "The id that a POST has answered.", where="path")


@post(
    "/v1/connect/intentions",
    status_code=HTTP_200_OK,
    opt=doc(body=LegacyIntentionBody, reply=dict[str, str], errors=(HTTP_409_CONFLICT,)),
)
async def create(
    request: AnyRequest, body: RawBody, repository: NamedDependency[Repository]
) -> Reply[dict[str, str]]:
    """Make an intention; the answer is its new id."""
    wanted = decode_definition(body, LegacyIntentionBody)
    intention_id = str(uuid4())
    entry = await _write(request, repository).create(_pair(wanted), wanted, intention_id)
    return Reply({"ID": intention_id}, entry_warnings(entry))


@get(
    "/v1/connect/intentions/{intention_id:str}",
    opt=doc(INTENTION_ID, reply=IntentionRow, errors=(HTTP_404_NOT_FOUND,)),
)
async def read(intention_id: FromPath[str], repository: NamedDependency[Repository]) -> Reply[IntentionRow]:
    """The intention of an id."""
    return Reply(intention_row(await find(repository, _checked(intention_id))))


@put(
    "/v1/connect/intentions/{intention_id:str}",
    opt=doc(
        INTENTION_ID,
        body=LegacyIntentionBody,
        reply=dict[str, str],
        errors=(HTTP_404_NOT_FOUND, HTTP_409_CONFLICT),
    ),
)
async def write(
    request: AnyRequest, intention_id: FromPath[str], body: RawBody, repository: NamedDependency[Repository]
) -> Reply[dict[str, str]]:
    """Change the intention of an id."""
    checked = _checked(intention_id)
    wanted = decode_definition(body, LegacyIntentionBody)
    entry = await _write(request, repository).update(_pair(wanted), wanted, checked)
    return Reply({"ID": checked}, entry_warnings(entry))


@delete(
    "/v1/connect/intentions/{intention_id:str}",
    status_code=HTTP_200_OK,
    opt=doc(INTENTION_ID, reply=bool, errors=(HTTP_404_NOT_FOUND, HTTP_409_CONFLICT)),
)
async def remove(
    request: AnyRequest, intention_id: FromPath[str], repository: NamedDependency[Repository]
) -> Reply[bool]:
    """Delete the intention of an id."""
    await _write(request, repository).delete(_checked(intention_id))
    return Reply(content=True)


def _pair(body: LegacyIntentionBody) -> Pair:
    return Caller(service_of(body.source_name), body.source_peer), service_of(body.destination_name)


def _checked(intention_id: str) -> str:
    try:
        return str(UUID(intention_id))
    except ValueError:
        raise ClientException(
            f"failed intention lookup: {intention_id!r} is not a UUID"
            " (/v1/connect/intentions/exact takes the names of services)"
        ) from None


def _write(request: AnyRequest, repository: Repository) -> LegacyWrite:
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return LegacyWrite(repository, author(request), now)

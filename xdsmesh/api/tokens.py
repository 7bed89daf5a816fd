"""``/v1/xdsmesh/tokens``: the tokens by which services, gateways and operators show who they are.

These paths are our own. They are for operators alone.
"""

from datetime import UTC, datetime
from typing import Any, Final

import structlog
from litestar import Response, delete, get, route
from litestar.di import NamedDependency
from litestar.enums import HttpMethod
from litestar.params import RawBody
from litestar.status_codes import HTTP_200_OK, HTTP_403_FORBIDDEN, HTTP_404_NOT_FOUND, HTTP_409_CONFLICT

from xdsmesh.api.access import OPERATORS
from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.queries import Queries
from xdsmesh.api.reply import Reply, empty
from xdsmesh.api.request import AnyRequest, author, tail
from xdsmesh.api.shapes import Shape
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.files import decode_definition
from xdsmesh.config.token import TokenBody
from xdsmesh.model.origin import Origin
from xdsmesh.model.token import Token
from xdsmesh.tokens.known import Tokens
from xdsmesh.tokens.write import create_token, delete_token

_log: Final = structlog.get_logger(__name__)

ACCESSOR: Final = Parameter("accessor", "The accessor of a token.", where="path")


class TokenShown(Shape, frozen=True, kw_only=True):
    """A token without its secret. ``Kind`` and ``Name`` say who it is for; an operator has no name."""

    accessor_id: str
    kind: str
    name: str
    description: str
    create_time: datetime
    created_by: str


class NewToken(TokenShown, frozen=True, kw_only=True):
    """A token that was made just now: its secret is shown here, and nowhere else."""

    secret_id: str

    def __repr__(self) -> str:
        return f"NewToken({self.accessor_id})"  # never the secret


@route(
    "/v1/xdsmesh/tokens",
    http_method=[HttpMethod.POST, HttpMethod.PUT],
    status_code=HTTP_200_OK,
    opt={**doc(body=TokenBody, reply=NewToken, errors=(HTTP_403_FORBIDDEN,)), **OPERATORS},
)
async def create(
    request: AnyRequest,
    body: RawBody,
    repository: NamedDependency[Repository],
    queries: NamedDependency[Queries],
) -> Reply[NewToken]:
    """Make a token. Once there is one, every new stream needs one, and so does whoever wants a key."""
    wanted, origin = decode_definition(body, TokenBody), author(request)
    token, secret = await create_token(repository.store, wanted, origin, lambda: datetime.now(UTC))
    _log.info("a token was created", accessor=token.accessor, of=str(token.identity), by=str(origin))
    await queries.feed.catch_up()
    return Reply(NewToken(secret_id=secret, **_fields(token, origin)))


@get(
    "/v1/xdsmesh/tokens",
    opt={**doc(reply=list[TokenShown], errors=(HTTP_403_FORBIDDEN,)), **OPERATORS},
)
async def read_all(
    tokens: NamedDependency[Tokens], queries: NamedDependency[Queries]
) -> Reply[list[TokenShown]]:
    """All tokens, the oldest first, without their secrets: those are not kept."""
    await queries.feed.catch_up()
    return Reply([TokenShown(**_fields(each.value, each.origin)) for each in tokens.all()])


@delete(
    "/v1/xdsmesh/tokens/{accessor:path}",
    status_code=HTTP_200_OK,
    opt={
        **doc(ACCESSOR, errors=(HTTP_403_FORBIDDEN, HTTP_404_NOT_FOUND, HTTP_409_CONFLICT)),
        **OPERATORS,
    },
)
async def remove(
    request: AnyRequest,
    repository: NamedDependency[Repository],
    tokens: NamedDependency[Tokens],
    queries: NamedDependency[Queries],
) -> Response[bytes]:
    """Delete a token; its streams end at once.

    The last one stays while the server listens where other machines reach it.
    """
    accessor, origin = tail(request), author(request)
    await delete_token(repository.store, accessor, origin, keep_last=tokens.reached)
    _log.info("a token was deleted", accessor=accessor, by=str(origin))
    await queries.feed.catch_up()
    return empty()


def _fields(token: Token, origin: Origin) -> dict[str, Any]:
    return {
        "accessor_id": token.accessor,
        "kind": token.identity.kind.value,
        "name": token.identity.name,
        "description": token.description,
        "create_time": token.created_at,
        "created_by": str(origin),
    }

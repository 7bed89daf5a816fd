"""``/v1/xdsmesh/dc``: how datacenters come together in one mesh, and part.

These paths are our own. They are for operators alone.
"""

from datetime import datetime, timedelta
from typing import Final

import structlog
from litestar import Response, delete, put
from litestar.di import NamedDependency
from litestar.params import RawBody
from litestar.status_codes import HTTP_200_OK, HTTP_403_FORBIDDEN, HTTP_404_NOT_FOUND

from xdsmesh.api.access import OPERATORS
from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.queries import Queries
from xdsmesh.api.reply import Reply, empty
from xdsmesh.api.request import AnyRequest, author, tail
from xdsmesh.api.shapes import Shape
from xdsmesh.config.datacenter import JoinBody, JoinTokenBody
from xdsmesh.config.files import decode_definition
from xdsmesh.federation.joining import Joiner
from xdsmesh.federation.roster import Roster

_log: Final = structlog.get_logger(__name__)

MEMBER: Final = Parameter("name", "The name of a datacenter.", where="path")


class MadeJoinToken(Shape, frozen=True, kw_only=True):
    """A token to join with, made just now: it is shown here, and nowhere else."""

    id: str
    datacenter: str
    expiration_time: datetime
    token: str

    def __repr__(self) -> str:
        return f"MadeJoinToken({self.id})"  # never the token


class JoinedMesh(Shape, frozen=True, kw_only=True, omit_defaults=False):
    """What was joined. If not all is ``Synced`` yet, ``Missing`` says why; it goes on by itself."""

    datacenter: str
    primary: str
    trust_domain: str
    synced: bool
    missing: str


@put(
    "/v1/xdsmesh/dc/token",
    opt={**doc(body=JoinTokenBody, reply=MadeJoinToken, errors=(HTTP_403_FORBIDDEN,)), **OPERATORS},
)
async def make_token(
    request: AnyRequest, body: RawBody, roster: NamedDependency[Roster]
) -> Reply[MadeJoinToken]:
    """Make a token with which another datacenter may join this one, once."""
    wanted, origin = decode_definition(body, JoinTokenBody), author(request)
    made = await roster.tokens.make(wanted.datacenter, timedelta(seconds=wanted.ttl.seconds), origin)
    _log.info("a token to join with was made", token=made.id, by=str(origin))
    shown = MadeJoinToken(
        id=made.id, datacenter=wanted.datacenter, expiration_time=made.expires_at, token=made.text
    )
    return Reply(shown)


@put(
    "/v1/xdsmesh/dc/join",
    opt={**doc(body=JoinBody, reply=JoinedMesh, errors=(HTTP_403_FORBIDDEN,)), **OPERATORS},
)
async def join(body: RawBody, joiner: NamedDependency[Joiner]) -> Reply[JoinedMesh]:
    """Join the datacenter that has made a token. Its root, trust domain and config entries are ours then.

    The answer comes when all that it has to tell is here, or after half a minute.
    """
    wanted = decode_definition(body, JoinBody)
    joined = await joiner.join(wanted.token, discard=wanted.discard_entries)
    shown = JoinedMesh(
        datacenter=joiner.datacenter,
        primary=joined.primary,
        trust_domain=joined.trust_domain,
        synced=joined.is_synced,
        missing=joined.missing,
    )
    return Reply(shown)


@delete(
    "/v1/xdsmesh/dc/members/{name:path}",
    status_code=HTTP_200_OK,
    opt={**doc(MEMBER, errors=(HTTP_403_FORBIDDEN, HTTP_404_NOT_FOUND)), **OPERATORS},
)
async def remove(
    request: AnyRequest, roster: NamedDependency[Roster], queries: NamedDependency[Queries]
) -> Response[bytes]:
    """Take a datacenter off the list. Its intermediate stays valid until the root is rotated."""
    await roster.remove(tail(request), author(request))
    await queries.feed.catch_up()
    return empty()

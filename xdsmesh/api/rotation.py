"""``/v1/xdsmesh/ca``: the rotation of the root, and how far it is.

These paths are our own.
"""

from math import inf
from typing import Final

from litestar import get, put
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_409_CONFLICT

from xdsmesh.api.blocking import Blocking
from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.openapi.parameters import BY_INDEX
from xdsmesh.api.queries import Queries
from xdsmesh.api.reply import Answer, Sent, index_headers
from xdsmesh.api.request import AnyRequest, author, flag, is_pretty
from xdsmesh.ca.leaves import Leaves
from xdsmesh.rotation.report import CAStatus
from xdsmesh.rotation.rotations import Rotations

ABORT: Final = Parameter("abort", "Take back what is under way instead.", {"type": "boolean"})


@put("/v1/xdsmesh/ca/rotate", opt=doc(ABORT, reply=CAStatus, errors=(HTTP_409_CONFLICT,)))
async def rotate(
    request: AnyRequest, rotations: NamedDependency[Rotations], leaves: NamedDependency[Leaves]
) -> Sent:
    """Let another root take over, in stages that go on after the answer; refused while one is under way."""
    if flag(request, "abort"):
        await rotations.abort(author(request))
    else:
        await rotations.start(leaves.issuer.configuration, author(request))
    return await _sent(request, rotations)


@get("/v1/xdsmesh/ca/status", opt=doc(*BY_INDEX, reply=CAStatus))
async def status(
    request: AnyRequest, rotations: NamedDependency[Rotations], queries: NamedDependency[Queries]
) -> Sent:
    """The roots, how far a rotation is, and who is waited for. Another root or stage is another index."""
    index = Blocking.of(request).index
    await queries.hold(request, lambda: inf if rotations.revision <= index else 0)
    return await _sent(request, rotations)


async def _sent(request: AnyRequest, rotations: Rotations) -> Sent:
    answer = Answer.of(await rotations.status(), pretty=is_pretty(request))
    return Sent(answer, request, index_headers(request, rotations.revision))

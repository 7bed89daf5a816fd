"""The parts of Consul's API that are not offered: each says so, and what to use instead.

A caller learns more from that than from an unknown path; a status below 500 says that nothing is broken.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from litestar import MediaType, Response, route
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.status_codes import HTTP_400_BAD_REQUEST, HTTP_401_UNAUTHORIZED, HTTP_404_NOT_FOUND

_METHODS: Final = [HttpMethod.GET, HttpMethod.PUT, HttpMethod.POST, HttpMethod.PATCH, HttpMethod.DELETE]
_NO_ACLS: Final = (
    "ACL support disabled (xdsmesh has no policies or roles; `xdsmesh token` makes tokens for services,"
    " gateways and operators)"
)
_INDEX: Final = {"X-Consul-Index": "1"}
"""What is read with an index in Consul has one here too: clients take an answer without it for a fault."""
_ONE_SERVER: Final = "there is one server, and no cluster to join or leave"


@dataclass(frozen=True, slots=True)
class Area:
    """Paths below ``/v1`` that have one answer, whatever the method; what ends in ``*`` also has all below.

    ``headers`` are for clients that fail without them.
    """

    paths: tuple[str, ...]
    text: str
    status: int = HTTP_404_NOT_FOUND
    headers: Mapping[str, str] = field(default_factory=dict)


def _missing(paths: tuple[str, ...], why: str, headers: Mapping[str, str] | None = None) -> Area:
    name = paths[0].removesuffix("*")
    return Area(paths, f"{name} is not offered by xdsmesh: {why}", headers=headers or {})


def _refused(paths: tuple[str, ...], why: str) -> Area:
    """A command whose callers take 404 for "there was nothing to do"."""
    return replace(_missing(paths, why), status=HTTP_400_BAD_REQUEST)


AREAS: Final = (
    Area(("acl*",), _NO_ACLS, HTTP_401_UNAUTHORIZED),
    Area(("agent/token*",), _NO_ACLS, HTTP_401_UNAUTHORIZED),
    _missing(
        ("kv*",),
        "it keeps services and config entries only (use a key-value store such as etcd)",
        _INDEX,
    ),
    _missing(("session*",), "there are no keys to lock (use a key-value store such as etcd)", _INDEX),
    _missing(
        ("txn",),
        "it has no transactions over keys and nodes (PUT /v1/xdsmesh/config writes config entries together)",
    ),
    _missing(("event*",), "it sends no events between nodes (use a message queue)", _INDEX),
    _missing(("coordinate*",), "it doesn't measure how far nodes are from each other", _INDEX),
    _missing(
        ("query*",),
        "it has no prepared queries (a service-resolver says where the requests to a service may go)",
    ),
    _missing(("operator*",), _ONE_SERVER),
    _missing(("snapshot",), "its state is one SQLite file in --data-dir (copy that)"),
    _missing(("peering*", "peerings"), "it doesn't call into other meshes"),
    _missing(
        ("exported-services",),
        "nothing is exported yet (GET /v1/config/exported-services/default tells what shall be)",
    ),
    _missing(("internal*",), "these paths are for Consul's own programs"),
    _refused(("agent/join*",), _ONE_SERVER),
    _refused(("agent/leave",), f"{_ONE_SERVER} (end its process to stop it)"),
    _refused(("agent/force-leave*",), _ONE_SERVER),
    _refused(("agent/monitor",), "it writes its log to the standard error only"),
    _missing(("agent/host",), "it tells nothing about the machine that it runs on"),
)


def _answer(area: Area) -> HTTPRouteHandler:
    @route(list(_templates(area)), http_method=_METHODS, status_code=area.status)
    async def answer() -> Response[str]:
        return Response(
            area.text,
            status_code=area.status,
            headers={**area.headers, "X-Content-Type-Options": "nosniff"},
            media_type=MediaType.TEXT,
        )

    return answer


def _templates(area: Area) -> list[str]:
    found = []
    for path in area.paths:
        exact = f"/v1/{path.removesuffix('*')}"
        found += [exact, f"{exact}/{{rest:path}}"] if path.endswith("*") else [exact]
    return found


NOT_OFFERED: Final = tuple(_answer(area) for area in AREAS)

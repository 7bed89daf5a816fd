"""``/v1/agent/health``: what the checks of this agent's services come to, also for those who read no JSON."""

from typing import Any, Final

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_404_NOT_FOUND,
    HTTP_429_TOO_MANY_REQUESTS,
    HTTP_503_SERVICE_UNAVAILABLE,
)

from xdsmesh.api.about import About
from xdsmesh.api.agent import own_instance, own_instances
from xdsmesh.api.central import Central
from xdsmesh.api.encode import agent_service, aggregated_status, health_check
from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.openapi.parameters import SERVICE_ID, SERVICE_NAME
from xdsmesh.api.queries import Queries
from xdsmesh.api.reply import Reply, header_text
from xdsmesh.api.request import AnyRequest, tail
from xdsmesh.api.shapes import ServiceHealth
from xdsmesh.catalog.stored import Stored
from xdsmesh.catalog.view import CatalogView
from xdsmesh.model.catalog import Instance
from xdsmesh.model.checks import CheckType, Health

_CODES: Final = {
    Health.PASSING.value: HTTP_200_OK,
    Health.WARNING.value: HTTP_429_TOO_MANY_REQUESTS,
    Health.CRITICAL.value: HTTP_503_SERVICE_UNAVAILABLE,
    CheckType.MAINTENANCE.value: HTTP_503_SERVICE_UNAVAILABLE,
}
"""Consul's statuses for these. They are about the service that was asked about: this server is well."""

_STATUSES: Final = tuple(sorted({*_CODES.values(), HTTP_404_NOT_FOUND}))
_FORMAT: Final = Parameter(
    "format", "`text` for the status alone.", {"type": "string", "enum": ["json", "text"]}
)
_ORDER: Final = tuple(_CODES)


@get(
    "/v1/agent/health/service/id/{id:path}",
    opt=doc(SERVICE_ID, _FORMAT, reply=ServiceHealth, statuses=_STATUSES),
)
async def by_id(
    request: AnyRequest, about: NamedDependency[About], queries: NamedDependency[Queries]
) -> Response[Any]:
    """One instance of this agent, with its checks; the status code tells the worst of them."""
    service_id = tail(request)
    await queries.feed.catch_up()
    stored = own_instance(queries.view, about.node.name, service_id)
    if stored is None:
        nothing = ServiceHealth(aggregated_status=Health.CRITICAL.value, service=None, checks=[])
        return _told(request, f"ServiceId {service_id} not found", nothing, HTTP_404_NOT_FOUND)
    health = _health(queries.view, Central.of(request, queries.view), stored)
    return _reply(request, health.aggregated_status, health)


@get(
    "/v1/agent/health/service/name/{name:path}",
    opt=doc(SERVICE_NAME, _FORMAT, reply=list[ServiceHealth], statuses=_STATUSES),
)
async def by_name(
    request: AnyRequest, about: NamedDependency[About], queries: NamedDependency[Queries]
) -> Response[Any]:
    """The instances of a service on this agent; the status code tells the worst of all their checks."""
    name = tail(request)
    await queries.feed.catch_up()
    view, central = queries.view, Central.of(request, queries.view)
    own = own_instances(view, about.node.name)
    found = [_health(view, central, each) for each in own if each.value.service.casefold() == name.casefold()]
    if not found:
        return _told(request, f"ServiceName {name} Not Found", [], HTTP_404_NOT_FOUND)
    worst = max((each.aggregated_status for each in found), key=_ORDER.index)
    return _reply(request, worst, found)


def _health(view: CatalogView, central: Central, stored: Stored[Instance]) -> ServiceHealth:
    checks = view.deciding_checks(stored.value)
    return ServiceHealth(
        aggregated_status=aggregated_status(each.value for each in checks),
        service=agent_service(stored.value, central.proxy(stored)),
        checks=[health_check(each, stored.value) for each in checks],
    )


def _reply(request: AnyRequest, status: str, content: object) -> Response[Any]:
    return _told(request, status, content, _CODES[status])


def _told(request: AnyRequest, told: str, content: object, code: int) -> Response[Any]:
    """The status as a word, or all of it as JSON; the same code and reason with both."""
    headers = {"X-Consul-Reason": header_text(told)}
    if _wants_text(request):
        return Response(told, status_code=code, headers=headers, media_type=MediaType.TEXT)
    reply: Reply[object] = Reply(content)
    reply.status_code = code
    reply.headers.update(headers)
    return reply


def _wants_text(request: AnyRequest) -> bool:
    wanted = request.query_params.get("format")
    if wanted not in (None, "", "text", "json"):
        raise ClientException(f"Invalid format: {wanted!r} is neither text nor json")
    return wanted == "text" or request.headers.get("accept", "").startswith("text/plain")

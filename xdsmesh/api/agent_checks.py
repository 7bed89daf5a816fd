"""``/v1/agent/check``: the checks of this agent's services and of its node."""

from collections.abc import Mapping
from typing import Final, Protocol, runtime_checkable

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import RawBody
from litestar.status_codes import HTTP_404_NOT_FOUND, HTTP_409_CONFLICT
from msgspec import structs

from xdsmesh.api.about import About
from xdsmesh.api.encode import health_check
from xdsmesh.api.narrow import filter_of
from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.openapi.parameters import FILTER
from xdsmesh.api.queries import Queries
from xdsmesh.api.reply import Reply, empty
from xdsmesh.api.request import AnyRequest, author, tail
from xdsmesh.api.shapes import HealthCheck
from xdsmesh.catalog.agent_checks import beat, deregister_check, register_check
from xdsmesh.catalog.announce import ALIVE
from xdsmesh.catalog.registrations import Registrations
from xdsmesh.config.check_update import CheckUpdate, said
from xdsmesh.config.files import decode_check, decode_definition
from xdsmesh.config.health import StandaloneCheck
from xdsmesh.model.checks import CheckStatus, Health

CHECK_ID: Final = Parameter("id", "The id of a check.", where="path")
NOTE: Final = Parameter("note", "What to say about it.")


@runtime_checkable  # the framework looks at what it is handed
class Probing(Protocol):
    """Whoever probes this agent's checks."""

    def beat(self, check_id: str) -> None:
        """Somebody spoke for a TTL check: its time starts anew."""

    def outputs(self) -> Mapping[str, str]:
        """The latest output by check id, where it is newer than what is stored."""


@get("/v1/agent/checks", opt=doc(FILTER, reply=dict[str, HealthCheck]))
async def checks(
    request: AnyRequest,
    about: NamedDependency[About],
    queries: NamedDependency[Queries],
    probing: NamedDependency[Probing],
) -> Reply[dict[str, HealthCheck]]:
    """All checks of this agent by id, or those that ``?filter`` asks for, with what they said last."""
    is_wanted = filter_of(request, HealthCheck)
    await queries.feed.catch_up()
    view, outputs = queries.view, probing.outputs()
    shown = {}
    for (node, check_id), stored in sorted(view.checks.items()):
        if node != about.node.name or check_id == ALIVE:
            continue
        instance = view.instances.get((node, stored.value.service_id))
        row = health_check(stored, instance.value if instance else None)
        output = outputs.get(check_id, row.output)
        shown[check_id] = structs.replace(row, output=output, create_index=0, modify_index=0)
    return Reply({check_id: row for check_id, row in shown.items() if is_wanted(row)})


@put(
    "/v1/agent/check/register",
    opt=doc(body=StandaloneCheck, errors=(HTTP_404_NOT_FOUND, HTTP_409_CONFLICT)),
)
async def register(
    request: AnyRequest, body: RawBody, registrations: NamedDependency[Registrations]
) -> Response[bytes]:
    """Register a check of a service or of the node; one that is there already keeps its status."""
    await register_check(registrations, decode_check(body).check(), author(request))
    return empty()


@put(
    "/v1/agent/check/deregister/{id:path}",
    opt=doc(CHECK_ID, errors=(HTTP_404_NOT_FOUND, HTTP_409_CONFLICT)),
)
async def deregister(request: AnyRequest, registrations: NamedDependency[Registrations]) -> Response[bytes]:
    """Remove a check."""
    await deregister_check(registrations, tail(request), author(request))
    return empty()


@put("/v1/agent/check/pass/{id:path}", opt=doc(CHECK_ID, NOTE, errors=(HTTP_404_NOT_FOUND,)))
async def mark_passing(
    request: AnyRequest, registrations: NamedDependency[Registrations], probing: NamedDependency[Probing]
) -> Response[bytes]:
    """Say that a TTL check passes; ``?note`` is its output."""
    return await _mark(request, Health.PASSING, registrations, probing)


@put("/v1/agent/check/warn/{id:path}", opt=doc(CHECK_ID, NOTE, errors=(HTTP_404_NOT_FOUND,)))
async def mark_warning(
    request: AnyRequest, registrations: NamedDependency[Registrations], probing: NamedDependency[Probing]
) -> Response[bytes]:
    """Say that a TTL check is a warning; ``?note`` is its output."""
    return await _mark(request, Health.WARNING, registrations, probing)


@put("/v1/agent/check/fail/{id:path}", opt=doc(CHECK_ID, NOTE, errors=(HTTP_404_NOT_FOUND,)))
async def mark_critical(
    request: AnyRequest, registrations: NamedDependency[Registrations], probing: NamedDependency[Probing]
) -> Response[bytes]:
    """Say that a TTL check is critical; ``?note`` is its output."""
    return await _mark(request, Health.CRITICAL, registrations, probing)


@put("/v1/agent/check/update/{id:path}", opt=doc(CHECK_ID, body=CheckUpdate, errors=(HTTP_404_NOT_FOUND,)))
async def update(
    request: AnyRequest,
    body: RawBody,
    registrations: NamedDependency[Registrations],
    probing: NamedDependency[Probing],
) -> Response[bytes]:
    """Say what a TTL check says."""
    status = decode_definition(body, CheckUpdate).check_status()
    return await _beat(tail(request), status, registrations, probing)


async def _mark(
    request: AnyRequest, health: Health, registrations: Registrations, probing: Probing
) -> Response[bytes]:
    status = said(health, request.query_params.get("note") or "")
    return await _beat(tail(request), status, registrations, probing)


async def _beat(
    check_id: str, status: CheckStatus, registrations: Registrations, probing: Probing
) -> Response[bytes]:
    probing.beat(check_id)  # before the status is written, so that it can't expire in between
    await beat(registrations, check_id, status)
    return empty()

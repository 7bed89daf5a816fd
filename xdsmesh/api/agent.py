"""``/v1/agent``: the server as the agent of the services that register with it."""

from collections.abc import Iterator
from typing import Final

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import RawBody
from litestar.status_codes import HTTP_404_NOT_FOUND, HTTP_409_CONFLICT

from xdsmesh.api.about import About
from xdsmesh.api.central import Central
from xdsmesh.api.changes import instance_topic
from xdsmesh.api.encode import agent_service
from xdsmesh.api.narrow import instance_filter_of
from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.openapi.parameters import BY_HASH, FILTER, SERVICE_ID
from xdsmesh.api.queries import Queries, Seen
from xdsmesh.api.reply import Reply, Sent, empty
from xdsmesh.api.request import AnyRequest, author, flag, required_flag, tail
from xdsmesh.api.shapes import AgentService
from xdsmesh.catalog.maintenance import enter_maintenance, leave_maintenance
from xdsmesh.catalog.registrations import Registrations
from xdsmesh.catalog.stored import Stored
from xdsmesh.catalog.view import CatalogView
from xdsmesh.config.files import decode_service
from xdsmesh.config.filter import NODE_SERVICE
from xdsmesh.config.service import ServiceDefinition
from xdsmesh.model.catalog import Instance
from xdsmesh.model.errors import NotFoundError
from xdsmesh.model.origin import Source

REPLACE_CHECKS: Final = Parameter(
    "replace-existing-checks", "Remove the checks of the service that are not given.", {"type": "boolean"}
)
ENABLE: Final = Parameter("enable", "Whether it is to be in maintenance.", {"type": "boolean"})
REASON: Final = Parameter("reason", "Why, for those who look.")


@put(
    "/v1/agent/service/register",
    opt=doc(REPLACE_CHECKS, body=ServiceDefinition, errors=(HTTP_409_CONFLICT,)),
)
async def register(
    request: AnyRequest, body: RawBody, registrations: NamedDependency[Registrations]
) -> Response[bytes]:
    """Register a service, and the sidecar that it asks for."""
    replace_checks = flag(request, "replace-existing-checks")
    await registrations.register(decode_service(body), author(request), replace_checks=replace_checks)
    return empty()


@put(
    "/v1/agent/service/deregister/{id:path}",
    opt=doc(SERVICE_ID, errors=(HTTP_404_NOT_FOUND, HTTP_409_CONFLICT)),
)
async def deregister(request: AnyRequest, registrations: NamedDependency[Registrations]) -> Response[bytes]:
    """Remove a service with its checks, and the sidecar that came with it."""
    await registrations.deregister(tail(request), author(request))
    return empty()


@get("/v1/agent/services", opt=doc(FILTER, reply=dict[str, AgentService]))
async def services(
    request: AnyRequest, queries: NamedDependency[Queries], about: NamedDependency[About]
) -> Reply[dict[str, AgentService]]:
    """All instances of this agent by id, or those that ``?filter`` asks for."""
    is_wanted = instance_filter_of(request, NODE_SERVICE)
    await queries.feed.catch_up()
    central = Central.of(request, queries.view)
    shown = [
        agent_service(each.value, central.proxy(each))
        for each in own_instances(queries.view, about.node.name)
        if is_wanted(each.value)
    ]
    return Reply({each.id: each for each in shown})


@get(
    "/v1/agent/service/{id:path}",
    opt=doc(SERVICE_ID, *BY_HASH, reply=AgentService, errors=(HTTP_404_NOT_FOUND,)),
)
async def service(
    request: AnyRequest, queries: NamedDependency[Queries], about: NamedDependency[About]
) -> Sent:
    """One instance. A caller waits for another one with ``?hash``, the hash of what it has."""
    service_id = tail(request)

    def read() -> Seen:
        stored = own_instance(queries.view, about.node.name, service_id)
        if stored is None:
            raise NotFoundError(f'unknown service ID "{service_id}"')
        central = Central.of(request, queries.view)
        answer = agent_service(stored.value, central.proxy(stored))
        topics = frozenset({instance_topic(service_id), *central.topics})
        return Seen(answer, topics, hash=answer.content_hash)

    return await queries.answer(request, read)


@put(
    "/v1/agent/service/maintenance/{id:path}",
    opt=doc(SERVICE_ID, ENABLE, REASON, errors=(HTTP_404_NOT_FOUND,)),
)
async def maintain_service(
    request: AnyRequest, registrations: NamedDependency[Registrations]
) -> Response[bytes]:
    """Take a service out of the traffic while ``?enable=true``, and back."""
    await _maintain(request, registrations, tail(request))
    return empty()


@put("/v1/agent/maintenance", opt=doc(ENABLE, REASON))
async def maintain_node(
    request: AnyRequest, registrations: NamedDependency[Registrations]
) -> Response[bytes]:
    """Take everything on this node out of the traffic while ``?enable=true``, and back."""
    await _maintain(request, registrations, "")
    return empty()


def own_instances(view: CatalogView, node: str) -> Iterator[Stored[Instance]]:
    """What is registered on a server's own node, sorted by id; what the server says of itself is not."""
    return (each for each in view.instances_on(node) if each.origin.source is not Source.SERVER)


def own_instance(view: CatalogView, node: str, service_id: str) -> Stored[Instance] | None:
    """One of the instances that ``own_instances`` has, by its id."""
    found = view.instances.get((node, service_id))
    return found if found and found.origin.source is not Source.SERVER else None


async def _maintain(request: AnyRequest, registrations: Registrations, service_id: str) -> None:
    if required_flag(request, "enable"):
        reason = request.query_params.get("reason") or ""
        await enter_maintenance(registrations, service_id, reason, author(request))
    else:
        await leave_maintenance(registrations, service_id, author(request))

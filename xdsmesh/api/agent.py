"""``/v1/agent``: the server as the agent of the services that register with it."""

from typing import Any

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import RawBody
from litestar.status_codes import HTTP_404_NOT_FOUND, HTTP_409_CONFLICT

from xdsmesh.api.about import OFF, About
from xdsmesh.api.changes import instance_topic
from xdsmesh.api.encode import agent_service
from xdsmesh.api.narrow import filter_of
from xdsmesh.api.openapi.declare import doc
from xdsmesh.api.openapi.parameters import BY_HASH, FILTER, SERVICE_ID
from xdsmesh.api.queries import Queries, Seen
from xdsmesh.api.reply import Reply, Sent, empty
from xdsmesh.api.request import AnyRequest, author, tail
from xdsmesh.api.shapes import AgentService
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.files import decode_service
from xdsmesh.config.service import ServiceDefinition
from xdsmesh.model.errors import NotFoundError

_ALIVE = 1
_DIMENSIONS = 8


@get("/v1/agent/self", opt=doc(reply=dict[str, dict[str, Any]]))
async def about_self(about: NamedDependency[About]) -> Reply[dict[str, dict[str, Any]]]:
    """The server about itself. Clients read objects two levels deep, so there is nothing else at the top."""
    node = about.node
    answer = {
        "Config": {
            "Datacenter": node.datacenter,
            "PrimaryDatacenter": node.datacenter,
            "NodeName": node.name,
            "NodeID": "",
            "Revision": "",
            "Server": True,
            "Version": about.version,
            "BuildDate": "",
            "BindAddr": node.address,
        },
        "DebugConfig": {
            "GRPCPort": about.xds_port,
            "GRPCTLSPort": OFF,
            "ConnectEnabled": True,
            "UIConfig": {"Enabled": False},
        },
        "Coord": {"Vec": [0.0] * _DIMENSIONS, "Error": 0.0, "Adjustment": 0.0, "Height": 0.0},
        "Member": _member(about),
        "Stats": {},
        "Meta": dict(node.meta),
        "xDS": {
            "SupportedProxies": {"envoy": list(about.envoy_versions)},
            "Port": about.xds_port,
            "Ports": {"Plaintext": about.xds_port, "TLS": OFF},
        },
    }
    return Reply(answer)


@put("/v1/agent/service/register", opt=doc(body=ServiceDefinition, errors=(HTTP_409_CONFLICT,)))
async def register(
    request: AnyRequest, body: RawBody, repository: NamedDependency[Repository]
) -> Response[bytes]:
    """Register a service, and the sidecar that it asks for."""
    await repository.register(decode_service(body), author(request))
    return empty()


@put(
    "/v1/agent/service/deregister/{id:path}",
    opt=doc(SERVICE_ID, errors=(HTTP_404_NOT_FOUND, HTTP_409_CONFLICT)),
)
async def deregister(request: AnyRequest, repository: NamedDependency[Repository]) -> Response[bytes]:
    """Remove a service, and the sidecar that came with it."""
    await repository.deregister(tail(request), author(request))
    return empty()


@get("/v1/agent/services", opt=doc(FILTER, reply=dict[str, AgentService]))
async def services(
    request: AnyRequest, repository: NamedDependency[Repository]
) -> Reply[dict[str, AgentService]]:
    """All instances by id, or those that ``?filter`` asks for."""
    is_wanted = filter_of(request, AgentService)
    _, instances = await repository.instances()
    shown = [agent_service(each.value) for each in instances]
    return Reply({each.id: each for each in shown if is_wanted(each)})


@get(
    "/v1/agent/service/{id:path}",
    opt=doc(SERVICE_ID, *BY_HASH, reply=AgentService, errors=(HTTP_404_NOT_FOUND,)),
)
async def service(
    request: AnyRequest, repository: NamedDependency[Repository], queries: NamedDependency[Queries]
) -> Sent:
    """One instance. A caller waits for another one with ``?hash``, the hash of what it has."""
    service_id = tail(request)

    async def read() -> Seen:
        stored = await repository.instance(service_id)
        if stored is None:
            raise NotFoundError(f'unknown service ID "{service_id}"')
        answer = agent_service(stored.value)
        return Seen(answer, frozenset({instance_topic(service_id)}), hash=answer.content_hash)

    return await queries.answer(request, read)


def _member(about: About) -> dict[str, Any]:
    node = about.node
    return {
        "Name": node.name,
        "Addr": node.address,
        "Port": 0,
        "Tags": {
            "role": "consul",
            "dc": node.datacenter,
            "id": "",
            "build": about.version,
            "acls": "0",
            "segment": "",
        },
        "Status": _ALIVE,
        "ProtocolMin": 1,
        "ProtocolMax": 5,
        "ProtocolCur": 2,
        "DelegateMin": 2,
        "DelegateMax": 5,
        "DelegateCur": 4,
    }

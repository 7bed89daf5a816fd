"""``/v1/agent``: the server as the agent of the services that register with it."""

from typing import Any

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import RawBody

from xdsmesh.api.about import OFF, About
from xdsmesh.api.encode import AgentService, agent_service
from xdsmesh.api.reply import Reply, empty
from xdsmesh.api.request import AnyRequest, author, tail
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.files import decode_service
from xdsmesh.model.errors import NotFoundError

_ALIVE = 1
_DIMENSIONS = 8


@get("/v1/agent/self")
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


@put("/v1/agent/service/register")
async def register(
    request: AnyRequest, body: RawBody, repository: NamedDependency[Repository]
) -> Response[bytes]:
    """Register a service, and the sidecar that it asks for."""
    await repository.register(decode_service(body), author(request))
    return empty()


@put("/v1/agent/service/deregister/{id:path}")
async def deregister(request: AnyRequest, repository: NamedDependency[Repository]) -> Response[bytes]:
    """Remove a service, and the sidecar that came with it."""
    await repository.deregister(tail(request), author(request))
    return empty()


@get("/v1/agent/services")
async def services(repository: NamedDependency[Repository]) -> Reply[dict[str, AgentService]]:
    """All instances by id."""
    _, instances = await repository.instances()
    return Reply({each.value.id: agent_service(each.value) for each in instances})


@get("/v1/agent/service/{id:path}")
async def service(request: AnyRequest, repository: NamedDependency[Repository]) -> Reply[AgentService]:
    """One instance."""
    service_id = tail(request)
    stored = await repository.instance(service_id)
    if stored is None:
        raise NotFoundError(f'unknown service ID "{service_id}"')
    answer = agent_service(stored.value)
    return Reply(answer, headers={"X-Consul-ContentHash": answer.content_hash})


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

"""``/v1/agent/self`` and ``/v1/agent/members``: what the server tells about itself."""

from typing import Any, Final

from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from msgspec import structs, to_builtins

from xdsmesh.api.about import CONSUL, About
from xdsmesh.api.narrow import filter_of
from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.openapi.parameters import FILTER
from xdsmesh.api.queries import Queries
from xdsmesh.api.reply import Reply
from xdsmesh.api.request import AnyRequest, flag, own_address
from xdsmesh.api.shapes import Member
from xdsmesh.federation.links import Links
from xdsmesh.federation.members import all_datacenters, primary_of
from xdsmesh.federation.status import LinkState

_ALIVE: Final = 1
_FAILED: Final = 4
_DIMENSIONS: Final = 8
_SERF_PORT: Final = 8301
"""The port that members name, as nothing of ours listens there."""


@get("/v1/agent/self", opt=doc(reply=dict[str, dict[str, Any]]))
async def about_self(
    request: AnyRequest, about: NamedDependency[About], queries: NamedDependency[Queries]
) -> Reply[dict[str, dict[str, Any]]]:
    """The server about itself. Clients read objects two levels deep, so there is nothing else at the top."""
    await queries.feed.catch_up()
    node = about.node
    return Reply(
        {
            "Config": {
                "Datacenter": node.datacenter,
                "PrimaryDatacenter": primary_of(queries.view.remote) or node.datacenter,
                "NodeName": node.name,
                "NodeID": _node_id(about, queries),
                "Revision": "",
                "Server": True,
                "Version": about.api_version,
                "BuildDate": "",
                "BindAddr": node.address,
            },
            "DebugConfig": {
                "GRPCPort": about.xds_port,
                "GRPCTLSPort": about.xds_tls_port,
                "ConnectEnabled": True,
                "UIConfig": {"Enabled": False},
            },
            "Coord": {"Vec": [0.0] * _DIMENSIONS, "Error": 0.0, "Adjustment": 0.0, "Height": 0.0},
            "Member": to_builtins(_member(about, queries)),
            "Stats": {
                "agent": {"version": CONSUL, "revision": "", "prerelease": ""},
                "consul": {"leader": "true", "leader_addr": own_address(request), "server": "true"},
            },
            "Meta": dict(node.meta),
            "xDS": {
                "SupportedProxies": {"envoy": list(about.envoy_versions)},
                "Port": about.xds_port,
                "Ports": {"Plaintext": about.xds_port, "TLS": about.xds_tls_port},
            },
        }
    )


@get(
    "/v1/agent/members",
    opt=doc(
        Parameter("wan", "Those of all datacenters; names then have their datacenter.", {"type": "boolean"}),
        Parameter("segment", "A segment of the network, of which there is one."),
        FILTER,
        reply=list[Member],
    ),
)
async def members(
    request: AnyRequest,
    about: NamedDependency[About],
    queries: NamedDependency[Queries],
    links: NamedDependency[Links],
) -> Reply[list[Member]]:
    """The servers of this datacenter, which is one; or one of each datacenter, alive if it is heard."""
    if flag(request, "wan") and request.query_params.get("segment"):
        raise ClientException("Cannot provide a segment with wan=true")
    is_wanted = filter_of(request, Member)
    await queries.feed.catch_up()
    found = [_member(about, queries)]
    if flag(request, "wan"):
        found = _members_of_all(found[0], about.node.datacenter, queries, links)
    return Reply([each for each in found if is_wanted(each)])


def _members_of_all(own: Member, datacenter: str, queries: Queries, links: Links) -> list[Member]:
    """The server of each datacenter that we know one of, with the name of its datacenter behind its own."""
    heard = {link.datacenter for link in links.status() if link.state is LinkState.UP}
    found = [structs.replace(own, name=f"{own.name}.{datacenter}")]
    _, *others = all_datacenters(queries.view.remote, datacenter)
    servers = queries.view.remote.servers
    for name, server in ((each, servers[each]) for each in others if each in servers):
        tags = {**own.tags, "dc": name, "id": "", "build": f"{CONSUL}:xdsmesh"}
        found.append(
            structs.replace(
                own,
                name=f"{server.value.node}.{name}",
                addr=server.value.address,
                tags=tags,
                status=_ALIVE if name in heard else _FAILED,
            )
        )
    return found


def _node_id(about: About, queries: Queries) -> str:
    stored = queries.view.node(about.node.name)
    return stored.value.id if stored else ""


def _member(about: About, queries: Queries) -> Member:
    node = about.node
    return Member(
        name=node.name,
        addr=node.address,
        port=_SERF_PORT,
        tags={
            "role": "consul",
            "dc": node.datacenter,
            "id": _node_id(about, queries),
            "vsn": "2",
            "build": f"{CONSUL}:xdsmesh",
            "port": "8300",
            "acls": "0",
            "segment": "",
        },
        status=_ALIVE,
        protocol_min=1,
        protocol_max=5,
        protocol_cur=2,
        delegate_min=2,
        delegate_max=5,
        delegate_cur=4,
    )

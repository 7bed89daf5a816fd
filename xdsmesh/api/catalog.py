"""``/v1/catalog``: the datacenters, nodes, services and instances that are known."""

from collections.abc import Callable

from litestar import get
from litestar.di import NamedDependency

from xdsmesh.api.central import Central
from xdsmesh.api.changes import ALL_INSTANCES, ALL_NODES, node_topic
from xdsmesh.api.encode import catalog_node, node_service, service_node
from xdsmesh.api.lookup import INSTANCES, RECEIVERS, Lookup
from xdsmesh.api.narrow import (
    NodeQuestion,
    ServiceQuestion,
    filter_of,
    instance_filter_of,
    name_in_path,
    nearest_first,
)
from xdsmesh.api.openapi.declare import doc
from xdsmesh.api.openapi.parameters import BY_INDEX, FILTER, MERGE, NEAR, NODE, NODE_META, SERVICE_NAME, TAG
from xdsmesh.api.queries import Queries, Seen
from xdsmesh.api.reply import Reply, Sent
from xdsmesh.api.request import AnyRequest
from xdsmesh.api.shapes import CatalogNode, NodeService, NodeServiceList, NodeServices, ServiceNode
from xdsmesh.catalog.repository import Repository
from xdsmesh.catalog.stored import Stored
from xdsmesh.config.filter import NODE_SERVICE, SERVICE_NODE
from xdsmesh.federation.members import all_datacenters
from xdsmesh.model.catalog import Instance, Node


@get("/v1/catalog/datacenters", opt=doc(reply=list[str]))
async def datacenters(
    repository: NamedDependency[Repository], queries: NamedDependency[Queries]
) -> Reply[list[str]]:
    """The names of the datacenters of the mesh: this one, and then the others."""
    await queries.feed.catch_up()
    return Reply(list(all_datacenters(queries.view.remote, repository.datacenter)))


@get("/v1/catalog/nodes", opt=doc(*BY_INDEX, FILTER, NODE_META, NEAR, reply=list[CatalogNode]))
async def nodes(request: AnyRequest, queries: NamedDependency[Queries]) -> Sent:
    """The nodes, sorted by name."""
    is_wanted, question = filter_of(request, CatalogNode), NodeQuestion.of(request)

    def read() -> Seen:
        found = [each for each in queries.view.nodes.values() if question.asks_for(each.value)]
        rows = [catalog_node(each) for each in sorted(found, key=lambda each: each.value.name)]
        shown = nearest_first(request, queries.view, rows, lambda row: row.node)
        return Seen([row for row in shown if is_wanted(row)], frozenset({ALL_NODES}))

    return await queries.answer(request, read)


@get("/v1/catalog/services", opt=doc(*BY_INDEX, FILTER, NODE_META, reply=dict[str, list[str]]))
async def services(request: AnyRequest, queries: NamedDependency[Queries]) -> Sent:
    """The names of the services, sidecars included, each with the tags of its instances."""
    is_wanted, question = instance_filter_of(request, SERVICE_NODE), NodeQuestion.of(request)

    def read() -> Seen:
        tags: dict[str, set[str]] = {}
        for each in queries.view.instances.values():
            if question.asks_for(each.value.node) and is_wanted(each.value):
                tags.setdefault(each.value.service, set()).update(each.value.tags)
        content = {service: sorted(tags[service]) for service in sorted(tags)}
        return Seen(content, frozenset({ALL_INSTANCES}))

    return await queries.answer(request, read)


@get(
    ["/v1/catalog/service", "/v1/catalog/service/{name:path}"],
    opt=doc(SERVICE_NAME, *BY_INDEX, FILTER, TAG, NODE_META, NEAR, MERGE, reply=list[ServiceNode]),
)
async def service(request: AnyRequest, queries: NamedDependency[Queries]) -> Sent:
    """The instances of a service; of an unknown one there are none."""
    return await _instances(request, queries, INSTANCES)


@get(
    ["/v1/catalog/connect", "/v1/catalog/connect/{name:path}"],
    opt=doc(SERVICE_NAME, *BY_INDEX, FILTER, TAG, NODE_META, NEAR, MERGE, reply=list[ServiceNode]),
)
async def connect(request: AnyRequest, queries: NamedDependency[Queries]) -> Sent:
    """What takes the mesh's calls to a service: its sidecars, instances that need none, gateways to it."""
    return await _instances(request, queries, RECEIVERS)


@get(
    ["/v1/catalog/node", "/v1/catalog/node/{name:path}"],
    opt=doc(NODE, *BY_INDEX, FILTER, MERGE, reply=NodeServices | None),
)
async def node(request: AnyRequest, queries: NamedDependency[Queries]) -> Sent:
    """A node and what is registered on it; null for one that is not known."""
    name, is_wanted = name_in_path(request, "node"), instance_filter_of(request, NODE_SERVICE)
    question = NodeQuestion.of(request)

    def read() -> Seen:
        central = Central.of(request, queries.view)
        stored = _node(queries, name, question)
        if stored is None:
            return Seen(None, frozenset({node_topic(name)}))
        rows = _services_on(queries, stored.value.name, central, is_wanted)
        content = NodeServices(node=catalog_node(stored), services={row.id: row for row in rows})
        return Seen(content, frozenset({node_topic(name), *central.topics}))

    return await queries.answer(request, read)


@get(
    ["/v1/catalog/node-services", "/v1/catalog/node-services/{name:path}"],
    opt=doc(NODE, *BY_INDEX, FILTER, MERGE, reply=NodeServiceList),
)
async def node_services(request: AnyRequest, queries: NamedDependency[Queries]) -> Sent:
    """A node and a list of what is registered on it; null and nothing for one that is not known."""
    name, is_wanted = name_in_path(request, "node"), instance_filter_of(request, NODE_SERVICE)
    question = NodeQuestion.of(request)

    def read() -> Seen:
        central = Central.of(request, queries.view)
        stored = _node(queries, name, question)
        found = _services_on(queries, stored.value.name, central, is_wanted) if stored else []
        content = NodeServiceList(node=catalog_node(stored) if stored else None, services=found)
        return Seen(content, frozenset({node_topic(name), *central.topics}))

    return await queries.answer(request, read)


def _node(queries: Queries, name: str, question: NodeQuestion) -> Stored[Node] | None:
    stored = queries.view.node(name)
    return stored if stored and question.asks_for(stored.value) else None


def _services_on(
    queries: Queries, node_name: str, central: Central, is_wanted: Callable[[Instance], bool]
) -> list[NodeService]:
    found = queries.view.instances_on(node_name)
    return [node_service(each, central.proxy(each)) for each in found if is_wanted(each.value)]


async def _instances(request: AnyRequest, queries: Queries, lookup: Lookup) -> Sent:
    question, is_wanted = ServiceQuestion.of(request), instance_filter_of(request, SERVICE_NODE)
    view = queries.view

    def read() -> Seen:
        central = Central.of(request, view)
        found = question.narrow(lookup.find(view, question.name))
        shown = nearest_first(request, view, found, lambda each: each.value.node.name)
        rows = [service_node(each, central.proxy(each)) for each in shown if is_wanted(each.value)]
        return Seen(rows, frozenset({*lookup.topics(view, question.name), *central.topics}))

    return await queries.answer(request, read)

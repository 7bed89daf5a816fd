"""``/v1/catalog``: the datacenters, services and instances that are known."""

from litestar import get
from litestar.di import NamedDependency

from xdsmesh.api.changes import ALL_INSTANCES, service_topic
from xdsmesh.api.encode import service_node
from xdsmesh.api.narrow import ServiceQuestion, filter_of, is_node, node_meta_of
from xdsmesh.api.openapi.declare import doc
from xdsmesh.api.openapi.parameters import BY_INDEX, FILTER, NODE_META, SERVICE_NAME, TAG
from xdsmesh.api.queries import Queries, Seen
from xdsmesh.api.reply import Reply, Sent
from xdsmesh.api.request import AnyRequest
from xdsmesh.api.shapes import ServiceNode
from xdsmesh.catalog.repository import Repository


@get("/v1/catalog/datacenters", opt=doc(reply=list[str]))
async def datacenters(repository: NamedDependency[Repository]) -> Reply[list[str]]:
    """The names of the datacenters; this one is all there is."""
    return Reply([repository.datacenter])


@get("/v1/catalog/services", opt=doc(*BY_INDEX, FILTER, NODE_META, reply=dict[str, list[str]]))
async def services(
    request: AnyRequest, repository: NamedDependency[Repository], queries: NamedDependency[Queries]
) -> Sent:
    """The names of the services, sidecars included, each with the tags of its instances."""
    is_wanted, node_meta = filter_of(request, ServiceNode), node_meta_of(request)

    async def read() -> Seen:
        _, instances = await repository.instances()
        tags: dict[str, set[str]] = {}
        for each in instances:
            if is_node(each.value.node, node_meta) and is_wanted(service_node(each)):
                tags.setdefault(each.value.service, set()).update(each.value.tags)
        content = {service: sorted(tags[service]) for service in sorted(tags)}
        return Seen(content, frozenset({ALL_INSTANCES}))

    return await queries.answer(request, read)


@get(
    ["/v1/catalog/service", "/v1/catalog/service/{name:path}"],
    opt=doc(SERVICE_NAME, *BY_INDEX, FILTER, TAG, NODE_META, reply=list[ServiceNode]),
)
async def service(
    request: AnyRequest, repository: NamedDependency[Repository], queries: NamedDependency[Queries]
) -> Sent:
    """The instances of a service; of an unknown one there are none."""
    question, is_wanted = ServiceQuestion.of(request), filter_of(request, ServiceNode)

    async def read() -> Seen:
        found = [service_node(each) for each in await question.find(repository, queries.changes)]
        topics = frozenset({service_topic(question.name)})
        return Seen([row for row in found if is_wanted(row)], topics)

    return await queries.answer(request, read)

"""``/v1/catalog``: the datacenters, services and instances that are known."""

from litestar import get
from litestar.di import NamedDependency

from xdsmesh.api.encode import ServiceNode, service_node
from xdsmesh.api.reply import Reply
from xdsmesh.api.request import AnyRequest, tail
from xdsmesh.catalog.repository import Repository, Stored
from xdsmesh.model.catalog import Instance


@get("/v1/catalog/datacenters")
async def datacenters(repository: NamedDependency[Repository]) -> Reply[list[str]]:
    """The names of the datacenters; this one is all there is."""
    return Reply([repository.datacenter])


@get("/v1/catalog/services")
async def services(repository: NamedDependency[Repository]) -> Reply[dict[str, list[str]]]:
    """The names of the services, sidecars included, each with the tags of its instances."""
    revision, instances = await repository.instances()
    tags: dict[str, set[str]] = {}
    for each in instances:
        tags.setdefault(each.value.service, set()).update(each.value.tags)
    return Reply({service: sorted(tags[service]) for service in sorted(tags)}, index=revision)


@get("/v1/catalog/service/{name:path}")
async def service(request: AnyRequest, repository: NamedDependency[Repository]) -> Reply[list[ServiceNode]]:
    """The instances of a service; of an unknown one there are none."""
    revision, found = await instances_of(request, repository)
    return Reply([service_node(each) for each in found], index=revision)


async def instances_of(request: AnyRequest, repository: Repository) -> tuple[int, list[Stored[Instance]]]:
    """The store's revision, and the instances of the service in the path that have every ``?tag``.

    Letter case is ignored.
    """
    wanted = tail(request).casefold()
    needed = {tag.casefold() for tag in request.query_params.getall("tag", [])}
    revision, instances = await repository.instances()
    return revision, [
        each
        for each in instances
        if each.value.service.casefold() == wanted and needed <= {tag.casefold() for tag in each.value.tags}
    ]

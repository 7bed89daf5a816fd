"""``/v1/health``: instances with their checks, which is what a client picks an address from."""

from litestar import get
from litestar.di import NamedDependency

from xdsmesh.api.changes import service_topic
from xdsmesh.api.encode import health_row
from xdsmesh.api.narrow import ServiceQuestion, instance_filter_of
from xdsmesh.api.openapi.declare import doc
from xdsmesh.api.openapi.parameters import BY_INDEX, FILTER, NODE_META, PASSING, SERVICE_NAME, TAG
from xdsmesh.api.queries import Queries, Seen
from xdsmesh.api.reply import Sent
from xdsmesh.api.request import AnyRequest, flag
from xdsmesh.api.shapes import HealthRow
from xdsmesh.catalog.repository import Repository
from xdsmesh.model.catalog import Health


@get(
    ["/v1/health/service", "/v1/health/service/{name:path}"],
    opt=doc(SERVICE_NAME, *BY_INDEX, FILTER, TAG, NODE_META, PASSING, reply=list[HealthRow]),
)
async def service(
    request: AnyRequest, repository: NamedDependency[Repository], queries: NamedDependency[Queries]
) -> Sent:
    """The instances of a service; with ``?passing`` those whose checks all pass."""
    question, is_wanted = ServiceQuestion.of(request), instance_filter_of(request)
    only_passing = flag(request, "passing")

    async def read() -> Seen:
        found = await question.find(repository, queries.changes)
        shown = [
            health_row(each)
            for each in found
            if is_wanted(each.value) and (not only_passing or each.value.health is Health.PASSING)
        ]
        return Seen(shown, frozenset({service_topic(question.name)}))

    return await queries.answer(request, read)

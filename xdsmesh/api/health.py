"""``/v1/health``: instances with their checks, which is what a client picks an address from."""

from litestar import get
from litestar.di import NamedDependency

from xdsmesh.api.catalog import instances_of
from xdsmesh.api.encode import HealthRow, health_row
from xdsmesh.api.reply import Reply
from xdsmesh.api.request import AnyRequest, flag
from xdsmesh.catalog.repository import Repository
from xdsmesh.model.catalog import Health


@get("/v1/health/service/{name:path}")
async def service(request: AnyRequest, repository: NamedDependency[Repository]) -> Reply[list[HealthRow]]:
    """The instances of a service; with ``?passing`` those whose checks all pass."""
    only_passing = flag(request, "passing")
    revision, found = await instances_of(request, repository)
    rows = [health_row(each) for each in found if not only_passing or each.value.health is Health.PASSING]
    return Reply(rows, index=revision)

"""The ASGI application: all resources over what they depend on."""

from typing import Final

from litestar import Litestar
from litestar.di import Provide
from litestar.middleware import ASGIMiddleware

from xdsmesh.api import agent, catalog, config, discovery_chain, health, proxies, status
from xdsmesh.api.about import About
from xdsmesh.api.errors import HANDLERS, MAX_BODY
from xdsmesh.api.queries import Queries
from xdsmesh.api.request import make_gate
from xdsmesh.catalog.repository import Repository
from xdsmesh.index.views import Index
from xdsmesh.status import Registry

ROUTES: Final = (
    agent.about_self,
    agent.register,
    agent.deregister,
    agent.services,
    agent.service,
    catalog.datacenters,
    catalog.services,
    catalog.service,
    config.write,
    config.write_all,
    config.read,
    config.read_all,
    config.remove,
    discovery_chain.read,
    discovery_chain.read_overridden,
    health.service,
    proxies.proxies,
    proxies.proxy,
    proxies.work,
    status.leader,
    status.peers,
)


def make_app(
    repository: Repository,
    registry: Registry,
    index: Index,
    about: About,
    queries: Queries,
    *around: ASGIMiddleware,
) -> Litestar:
    """Make the application; it holds no state of its own. ``queries`` must be run while it serves.

    ``around`` stand around every handler, the first one outermost.
    """
    traced = proxies.Proxies(registry, index, repository)
    return Litestar(
        list(ROUTES),
        dependencies={
            "repository": Provide(lambda: repository, sync_to_thread=False),
            "proxies": Provide(lambda: traced, sync_to_thread=False),
            "about": Provide(lambda: about, sync_to_thread=False),
            "queries": Provide(lambda: queries, sync_to_thread=False),
        },
        middleware=list(around),
        before_request=make_gate(repository.datacenter),
        exception_handlers=HANDLERS,
        request_max_body_size=MAX_BODY,
        openapi_config=None,
        logging_config=None,
    )

"""The ASGI application: all resources over what they depend on."""

from typing import Final

from litestar import Litestar
from litestar.di import Provide

from xdsmesh.api import (
    agent,
    authorize,
    ca,
    catalog,
    config,
    discovery_chain,
    health,
    intentions,
    legacy_intentions,
    proxies,
    status,
)
from xdsmesh.api.about import About
from xdsmesh.api.errors import HANDLERS, MAX_BODY
from xdsmesh.api.queries import Queries
from xdsmesh.api.request import make_gate
from xdsmesh.ca.leaves import Leaves
from xdsmesh.catalog.repository import Repository
from xdsmesh.index.views import Index
from xdsmesh.status import Registry

ROUTES: Final = (
    agent.about_self,
    agent.register,
    agent.deregister,
    agent.services,
    agent.service,
    authorize.authorize,
    ca.roots,
    ca.agent_roots,
    ca.configuration,
    ca.configure,
    ca.leaf,
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
    intentions.read_all,
    intentions.read,
    intentions.write,
    intentions.remove,
    intentions.match,
    intentions.check,
    legacy_intentions.create,
    legacy_intentions.read,
    legacy_intentions.write,
    legacy_intentions.remove,
    proxies.proxies,
    proxies.work,
    status.leader,
    status.peers,
)


def make_app(  # noqa: PLR0913, PLR0917 - one argument for each part of the server that it shows
    repository: Repository,
    registry: Registry,
    index: Index,
    about: About,
    queries: Queries,
    leaves: Leaves,
) -> Litestar:
    """Make the application; it holds no state of its own. ``queries`` must be run while it serves."""
    traced = proxies.Proxies(registry, index, repository)
    return Litestar(
        list(ROUTES),
        dependencies={
            "repository": Provide(lambda: repository, sync_to_thread=False),
            "proxies": Provide(lambda: traced, sync_to_thread=False),
            "about": Provide(lambda: about, sync_to_thread=False),
            "queries": Provide(lambda: queries, sync_to_thread=False),
            "leaves": Provide(lambda: leaves, sync_to_thread=False),
        },
        before_request=make_gate(repository.datacenter),
        exception_handlers=HANDLERS,
        request_max_body_size=MAX_BODY,
        openapi_config=None,
        logging_config=None,
    )

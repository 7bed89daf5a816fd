"""The ASGI application: all resources over what they depend on."""

from typing import Final

from litestar import Litestar
from litestar.di import Provide

from xdsmesh.api import (
    agent,
    agent_health,
    agent_self,
    catalog,
    config,
    discovery_chain,
    gateway_services,
    health,
    proxies,
    status,
)
from xdsmesh.api.about import About
from xdsmesh.api.errors import HANDLERS, MAX_BODY
from xdsmesh.api.queries import Queries
from xdsmesh.api.request import make_gate
from xdsmesh.catalog.registrations import Registrations
from xdsmesh.catalog.repository import Repository
from xdsmesh.index.views import Index
from xdsmesh.status import Registry

ROUTES: Final = (
    agent_health.by_id,
    agent_health.by_name,
    agent_self.about_self,
    agent_self.members,
    agent.register,
    agent.deregister,
    agent.services,
    agent.service,
    agent.maintain_service,
    agent.maintain_node,
    catalog.datacenters,
    catalog.nodes,
    catalog.services,
    catalog.service,
    catalog.connect,
    catalog.node,
    catalog.node_services,
    gateway_services.gateway_services,
    config.write,
    config.write_all,
    config.read,
    config.read_all,
    config.remove,
    discovery_chain.read,
    discovery_chain.read_overridden,
    health.service,
    health.connect,
    health.checks,
    health.node,
    health.state,
    proxies.proxies,
    proxies.work,
    status.leader,
    status.peers,
)


def make_app(
    repository: Repository,
    registrations: Registrations,
    registry: Registry,
    index: Index,
    about: About,
    queries: Queries,
) -> Litestar:
    """Make the application; it holds no state of its own. ``queries`` must be run while it serves."""
    traced = proxies.Proxies(registry, index, repository)
    return Litestar(
        list(ROUTES),
        dependencies={
            "repository": Provide(lambda: repository, sync_to_thread=False),
            "registrations": Provide(lambda: registrations, sync_to_thread=False),
            "proxies": Provide(lambda: traced, sync_to_thread=False),
            "about": Provide(lambda: about, sync_to_thread=False),
            "queries": Provide(lambda: queries, sync_to_thread=False),
        },
        before_request=make_gate(repository.datacenter),
        exception_handlers=HANDLERS,
        request_max_body_size=MAX_BODY,
        openapi_config=None,
        logging_config=None,
    )

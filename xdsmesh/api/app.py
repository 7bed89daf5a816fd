"""The ASGI application: all resources over what they depend on."""

from dataclasses import dataclass, replace
from typing import Final

from litestar import Litestar
from litestar.di import Provide
from litestar.middleware import ASGIMiddleware

from xdsmesh.api import (
    agent,
    agent_checks,
    agent_health,
    agent_self,
    agent_server,
    authorize,
    ca,
    catalog,
    catalog_write,
    config,
    dc_status,
    discovery_chain,
    gateway_services,
    health,
    intention_check,
    intentions,
    joining,
    legacy_intentions,
    metrics,
    proxies,
    root,
    rotation,
    status,
    tokens,
)
from xdsmesh.api.about import About
from xdsmesh.api.errors import HANDLERS, MAX_BODY
from xdsmesh.api.forwarding import Forwarding
from xdsmesh.api.gate import make_gate
from xdsmesh.api.not_offered import NOT_OFFERED
from xdsmesh.api.openapi import route as openapi
from xdsmesh.api.openapi.document import Document
from xdsmesh.api.primary import PrimaryWrites
from xdsmesh.api.queries import Queries
from xdsmesh.ca.leaves import Leaves
from xdsmesh.catalog.registrations import Registrations
from xdsmesh.catalog.repository import Repository
from xdsmesh.federation.joining import Joiner
from xdsmesh.federation.links import Links
from xdsmesh.federation.overview import Overview
from xdsmesh.federation.roster import Roster
from xdsmesh.index.views import Index
from xdsmesh.rotation.rotations import Rotations
from xdsmesh.status import Registry
from xdsmesh.tokens.known import Tokens

ROUTES: Final = (
    agent_checks.checks,
    agent_checks.register,
    agent_checks.deregister,
    agent_checks.mark_passing,
    agent_checks.mark_warning,
    agent_checks.mark_critical,
    agent_checks.update,
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
    agent_server.reload,
    agent_server.version,
    authorize.authorize,
    ca.roots,
    ca.agent_roots,
    ca.configuration,
    ca.configure,
    ca.leaf,
    catalog_write.register,
    catalog_write.deregister,
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
    dc_status.read,
    discovery_chain.read,
    discovery_chain.read_overridden,
    health.service,
    health.connect,
    health.ingress,
    health.checks,
    health.node,
    health.state,
    intentions.read_all,
    intentions.read,
    intentions.write,
    intentions.remove,
    intentions.match,
    intentions.check,
    intention_check.check,
    joining.make_token,
    joining.join,
    joining.remove,
    legacy_intentions.create,
    legacy_intentions.read,
    legacy_intentions.write,
    legacy_intentions.remove,
    metrics.metrics,
    openapi.read,
    proxies.proxies,
    proxies.proxy,
    proxies.proxy_config,
    proxies.work,
    rotation.rotate,
    rotation.status,
    status.leader,
    status.peers,
    tokens.create,
    tokens.read_all,
    tokens.remove,
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the API shows and changes. ``queries`` and their feed must be run while it serves.

    ``around`` stand around every handler, the first one outermost.
    """

    about: About
    repository: Repository
    registrations: Registrations
    queries: Queries
    probing: agent_checks.Probing
    registry: Registry
    index: Index
    leaves: Leaves
    rotations: Rotations
    roster: Roster
    joiner: Joiner
    tokens: Tokens
    links: Links
    overview: Overview
    around: tuple[ASGIMiddleware, ...] = ()

    @property
    def about_now(self) -> About:
        """What the server is, with the trust domain of this moment: it is another one after a join."""
        return replace(self.about, trust_domain=self.leaves.issuer.authority.trust_domain)


def make_app(parts: Parts) -> Litestar:
    """Make the application; it holds no state of its own."""
    document = Document(ROUTES)
    forwarding = Forwarding(parts.repository.datacenter, parts.queries.view.remote, parts.links)
    writes = PrimaryWrites(forwarding, parts.repository, parts.queries.feed)
    traced = proxies.Proxies(parts.registry, parts.index, parts.repository)
    return Litestar(
        [root.root, *ROUTES, *NOT_OFFERED],
        dependencies={
            "document": Provide(lambda: document, sync_to_thread=False),
            "about": Provide(lambda: parts.about_now, sync_to_thread=False),
            "repository": Provide(lambda: parts.repository, sync_to_thread=False),
            "registrations": Provide(lambda: parts.registrations, sync_to_thread=False),
            "queries": Provide(lambda: parts.queries, sync_to_thread=False),
            "probing": Provide(lambda: parts.probing, sync_to_thread=False),
            "tokens": Provide(lambda: parts.tokens, sync_to_thread=False),
            "leaves": Provide(lambda: parts.leaves, sync_to_thread=False),
            "roster": Provide(lambda: parts.roster, sync_to_thread=False),
            "joiner": Provide(lambda: parts.joiner, sync_to_thread=False),
            "rotations": Provide(lambda: parts.rotations, sync_to_thread=False),
            "overview": Provide(lambda: parts.overview, sync_to_thread=False),
            "links": Provide(lambda: parts.links, sync_to_thread=False),
            "proxies": Provide(lambda: traced, sync_to_thread=False),
        },
        middleware=list(parts.around),
        before_request=make_gate(parts.tokens, forwarding, writes),
        exception_handlers=HANDLERS,
        request_max_body_size=MAX_BODY,
        openapi_config=None,
        logging_config=None,
    )

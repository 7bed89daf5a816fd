"""The kinds of config entry, one file each. Everything else iterates over ``KINDS``."""

from typing import Final

from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.api_gateway import APIGateway
from xdsmesh.config.kinds.exported_services import ExportedServices
from xdsmesh.config.kinds.file_system_certificate import FileSystemCertificate
from xdsmesh.config.kinds.http_route import HTTPRoute
from xdsmesh.config.kinds.ingress_gateway import IngressGateway
from xdsmesh.config.kinds.inline_certificate import InlineCertificate
from xdsmesh.config.kinds.jwt_provider import JWTProvider
from xdsmesh.config.kinds.mesh import Mesh
from xdsmesh.config.kinds.proxy_defaults import ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_intentions import ServiceIntentions
from xdsmesh.config.kinds.service_resolver import ServiceResolver
from xdsmesh.config.kinds.service_router import ServiceRouter
from xdsmesh.config.kinds.service_splitter import ServiceSplitter
from xdsmesh.config.kinds.tcp_route import TCPRoute
from xdsmesh.config.kinds.terminating_gateway import TerminatingGateway

KINDS: Final[dict[str, type[Entry]]] = {
    kind.KIND: kind
    for kind in (
        ProxyDefaults,
        ServiceDefaults,
        ServiceResolver,
        ServiceSplitter,
        ServiceRouter,
        ServiceIntentions,
        Mesh,
        IngressGateway,
        TerminatingGateway,
        APIGateway,
        HTTPRoute,
        TCPRoute,
        InlineCertificate,
        FileSystemCertificate,
        ExportedServices,
        JWTProvider,
    )
}

ENTERPRISE_KINDS: Final = frozenset({"control-plane-request-limit", "sameness-group"})
"""Kinds of Consul's Enterprise edition."""

INTERNAL_KINDS: Final = frozenset({"bound-api-gateway"})
"""Kinds that Consul's own controllers write, never a person."""

"""The kinds of config entry, one file each. Everything else iterates over ``KINDS``."""

from typing import Final

from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.proxy_defaults import ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_resolver import ServiceResolver
from xdsmesh.config.kinds.service_router import ServiceRouter
from xdsmesh.config.kinds.service_splitter import ServiceSplitter

KINDS: Final[dict[str, type[Entry]]] = {
    kind.KIND: kind
    for kind in (ProxyDefaults, ServiceDefaults, ServiceResolver, ServiceSplitter, ServiceRouter)
}

UNBUILT_KINDS: Final = frozenset(
    {
        "api-gateway",
        "exported-services",
        "file-system-certificate",
        "http-route",
        "ingress-gateway",
        "inline-certificate",
        "jwt-provider",
        "mesh",
        "service-intentions",
        "tcp-route",
        "terminating-gateway",
    }
)
"""Kinds of Consul that we know and have not built yet; they are refused by name."""

ENTERPRISE_KINDS: Final = frozenset({"control-plane-request-limit", "sameness-group"})
"""Kinds of Consul's Enterprise edition."""

INTERNAL_KINDS: Final = frozenset({"bound-api-gateway"})
"""Kinds that Consul's own controllers write, never a person."""

"""Encoded Envoy resources and the complete set of them that one proxy should hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

TYPE_PREFIX: Final = "type.googleapis.com/"
CLUSTER: Final = TYPE_PREFIX + "envoy.config.cluster.v3.Cluster"
ENDPOINT: Final = TYPE_PREFIX + "envoy.config.endpoint.v3.ClusterLoadAssignment"
LISTENER: Final = TYPE_PREFIX + "envoy.config.listener.v3.Listener"
ROUTE: Final = TYPE_PREFIX + "envoy.config.route.v3.RouteConfiguration"
SECRET: Final = TYPE_PREFIX + "envoy.extensions.transport_sockets.tls.v3.Secret"

TYPES: Final = (CLUSTER, ENDPOINT, LISTENER, ROUTE, SECRET)
"""The types that are served, in the order in which additions are sent."""

SHORT_NAMES: Final = {CLUSTER: "CDS", ENDPOINT: "EDS", LISTENER: "LDS", ROUTE: "RDS", SECRET: "SDS"}


@dataclass(frozen=True, slots=True)
class EncodedResource:
    """A resource as bytes, made once and sent to every proxy that holds it.

    ``version`` is a hash of the content (xDS rule: equal content, equal version, on every stream and
    after a restart). ``any`` is a serialised ``google.protobuf.Any``, which may hold a key. ``eds_name`` is
    set on a cluster that takes its endpoints from EDS: the assignment that must be sent again with it.
    ``members`` are set on a cluster of clusters: their names.
    """

    type_url: str
    name: str
    version: str
    any: bytes = field(repr=False)
    eds_name: str = ""
    members: tuple[str, ...] = ()


Resources = Mapping[str, EncodedResource]
"""Resources of one type by name."""


@dataclass(frozen=True, slots=True)
class ProxyView:
    """All that one proxy should hold now. Equal views are interchangeable; mappings are shared.

    ``spiffe_id`` is who the proxy is: a stream that began as somebody else must not go on.
    """

    proxy: str
    clusters: Resources
    endpoints: Resources
    listeners: Resources
    routes: Resources
    secrets: Resources
    spiffe_id: str = field(default="", kw_only=True)

    def of(self, type_url: str) -> Resources:
        """The resources of one of ``TYPES``; of any other type there are none."""
        return getattr(self, _FIELDS[type_url]) if type_url in _FIELDS else {}


_FIELDS: Final = {
    CLUSTER: "clusters",
    ENDPOINT: "endpoints",
    LISTENER: "listeners",
    ROUTE: "routes",
    SECRET: "secrets",
}

"""The names of Envoy resources and statistics: Consul's, so that dashboards and tools keep working."""

from typing import Final

from xdsmesh.chain.types import Target
from xdsmesh.model.address import host_port

PUBLIC_LISTENER: Final = "public_listener"
"""The statistics, route and virtual host of the listener that accepts the mesh's calls."""

CONNECTION_LIMIT: Final = "inbound_connection_limit"
"""The statistics of connections that were one too many."""

LOCAL_CLUSTER: Final = "local_app"
"""The application beside a sidecar."""

_JWKS_CLUSTER: Final = "jwks_cluster_"

LEAF: Final = "leaf"
"""The secret with the proxy's own certificate and key."""

ROOTS: Final = "roots"
"""The secret with the certificates that vouch for the other proxies."""


def public_listener(address: str, port: int) -> str:
    """The listener that accepts the mesh's calls.

    The address is in the name since Envoy can't change the address of a listener that exists.
    """
    return f"{PUBLIC_LISTENER}:{host_port(address, port)}"


def public_routes(service: str) -> str:
    """The route configuration of the calls to a service, as its own sidecars have it.

    No service has a colon in its name, so none has routes to it under this one.
    """
    return f"{PUBLIC_LISTENER}:{service}"


def upstream_listener(called: str, address: str, port: int) -> str:
    """The listener where the application finds a service, as it is called: see `Upstream.called`."""
    return f"{called}:{host_port(address, port)}"


def cluster(target: Target, trust_domain: str, customization: str = "") -> str:
    """The cluster of a target; ``customization`` tells it from those of callers without overrides.

    The trust domain of a peer is not known here, so ours stands for it: the cluster has no endpoints.
    """
    name = target.name or f"{target.service}.default.{target.peer}.external.{trust_domain}"
    return f"{customization}~{name}" if customization else name


def jwks_cluster(provider: str) -> str:
    """The cluster of who has the keys of a ``jwt-provider``."""
    return f"{_JWKS_CLUSTER}{provider}"


def failover_member(index: int, cluster_name: str) -> str:
    """One of the clusters that stand in for one another under the name ``cluster_name``; 0 is the first."""
    return f"failover-target~{index}~{cluster_name}"


def peer_sni(target: Target, trust_domain: str) -> str:
    """The server name of a service in a peer."""
    return f"{target.service}.default.default.{target.peer}.external.{trust_domain}"


def routes(called: str) -> str:
    """The route configuration, and its virtual host, of the calls to a service, as it is called."""
    return called


def upstream_stat_prefix(service: str, datacenter: str) -> str:
    """The statistics of the calls to a service: service, namespace, partition, datacenter."""
    return f"upstream.{service}.default.default.{datacenter}"


def gateway_listener(bind: str, address: str, port: int) -> str:
    """A place where a gateway listens, by the name of the bind; see `public_listener`."""
    return f"{bind}:{host_port(address, port)}"


def datacenter(name: str, trust_domain: str) -> str:
    """The cluster of the mesh gateways of another datacenter, and the end of all server names there."""
    return f"{name}.internal.{trust_domain}"


def control_plane(name: str) -> str:
    """The server name of the control plane of a datacenter, which its certificate has too."""
    return f"server.{name}.consul"


def gateway_local(bind: str) -> str:
    """The statistics of what a mesh gateway forwards to sidecars of its datacenter."""
    return f"mesh_gateway_local.{bind}"


def gateway_remote(bind: str, datacenter: str) -> str:
    """Those of what it forwards to another datacenter."""
    return f"mesh_gateway_remote.{bind}.{datacenter}"


def gateway_local_server(bind: str, datacenter: str) -> str:
    """Those of what it forwards to its own control plane."""
    return f"mesh_gateway_local_server.{bind}.{datacenter}"

"""The names of Envoy resources and statistics: Consul's, so that dashboards and tools keep working."""

from typing import Final

PUBLIC_LISTENER: Final = "public_listener"
"""The statistics, route and virtual host of the listener that accepts the mesh's calls."""

LOCAL_CLUSTER: Final = "local_app"
"""The application beside a sidecar."""

LEAF: Final = "leaf"
"""The secret with the proxy's own certificate and key."""

ROOTS: Final = "roots"
"""The secret with the certificates that vouch for the other proxies."""


def public_listener(address: str, port: int) -> str:
    """The listener that accepts the mesh's calls.

    The address is in the name since Envoy can't change the address of a listener that exists.
    """
    return f"{PUBLIC_LISTENER}:{_host_port(address, port)}"


def upstream_listener(service: str, address: str, port: int) -> str:
    """The listener where the application finds a service that it calls."""
    return f"{service}:{_host_port(address, port)}"


def routes(service: str) -> str:
    """The route configuration, and its virtual host, of the calls to a service."""
    return service


def default_virtual_host(service: str, datacenter: str) -> str:
    """The virtual host of the calls to a service whose requests need not be told apart."""
    return f"{service}.default.default.{datacenter}"


def upstream_stat_prefix(service: str, datacenter: str) -> str:
    """The statistics of the calls to a service: service, namespace, partition, datacenter."""
    return f"upstream.{service}.default.default.{datacenter}"


def _host_port(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"

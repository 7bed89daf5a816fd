"""What a proxy does, in the shapes of the HTTP API."""

from typing import Final

from xdsmesh.api.shapes import Proxy, Upstream
from xdsmesh.model import catalog

NO_PROXY: Final = Proxy(mode="", mesh_gateway={}, expose={})
"""What stands for the proxy of an ordinary service."""


def encode_proxy(proxy: catalog.Proxy) -> Proxy:
    """A proxy; its ``Config`` and those of its upstreams are as they were written."""
    return Proxy(
        destination_service_name=proxy.destination_service_name,
        destination_service_id=proxy.destination_service_id,
        local_service_address=proxy.local_service_address if proxy.destination_service_name else "",
        local_service_port=proxy.local_service_port,
        mode="",
        config=dict(proxy.config),
        upstreams=[_upstream(upstream) for upstream in proxy.upstreams],
        mesh_gateway=_mesh_gateway(proxy.mesh_gateway),
        expose={},
    )


def _upstream(upstream: catalog.Upstream) -> Upstream:
    settings = upstream.settings or catalog.UpstreamSettings()
    return Upstream(
        destination_type="service",
        destination_name=upstream.destination_name,
        datacenter=upstream.datacenter,
        local_bind_address=upstream.local_bind_address,
        local_bind_port=upstream.local_bind_port,
        mesh_gateway=_mesh_gateway(settings.mesh_gateway),
        config=dict(upstream.config),
    )


def _mesh_gateway(mode: str) -> dict[str, str]:
    return {"Mode": mode} if mode else {}

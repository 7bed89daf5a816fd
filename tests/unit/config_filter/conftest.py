import pytest

from xdsmesh.model.catalog import Instance, Kind, Node, Proxy, Upstream, UpstreamSettings, Weights
from xdsmesh.model.checks import Check, Health


@pytest.fixture
def instance() -> Instance:
    """An instance without checks."""
    return Instance(
        id="web-1",
        service="web",
        node=Node("n1", "10.0.0.1", "dc1", {"rack": "r7"}),
        address="10.0.0.2",
        port=8080,
        tags=("a", "b"),
        meta={"version": "1", "env": "prod", "odd-key": "odd", "dotted.key": "dotted"},
        weights=Weights(10, 1),
    )


@pytest.fixture
def sidecar() -> Instance:
    """A sidecar with a failing check and a passing one."""
    return Instance(
        id="web-1-sidecar-proxy",
        service="web-sidecar-proxy",
        node=Node("n1", "10.0.0.1", "dc1"),
        kind=Kind.CONNECT_PROXY,
        tags=("a",),
        checks=(
            Check("alive", "Alive", Health.PASSING, output="fine", service_id="web-1-sidecar-proxy"),
            Check("disk", "Disk", Health.CRITICAL, notes="is it full?", service_id="web-1-sidecar-proxy"),
        ),
        proxy=Proxy(
            "web",
            "web-1",
            local_service_port=8080,
            upstreams=(
                Upstream("db", 9191, settings=UpstreamSettings(mesh_gateway="none")),
                Upstream("mq", 9192),
            ),
            mesh_gateway="local",
        ),
    )

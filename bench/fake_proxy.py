"""A fake proxy: asks over delta ADS for what an Envoy would ask, in its order, and ACKs all of it.

The order is that of Envoy 1.40: clusters (wildcard), then the endpoints that they name, listeners
(wildcard) once the clusters are there, then the routes and the secrets that listeners and clusters name.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from envoy.extensions.transport_sockets.tls.v3.tls_pb2 import (
    CommonTlsContext,
    DownstreamTlsContext,
    UpstreamTlsContext,
)
from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest, DeltaDiscoveryResponse

from bench.http2 import GrpcStream
from xdsmesh.model.resource import CLUSTER, ENDPOINT, LISTENER, ROUTE, SECRET

_PATH: Final = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"


class FakeProxy:
    """One delta stream. Every ACK is told to ``on_ack`` with the type.

    ``last_ack`` is when it last acknowledged a type (``time.perf_counter``).
    """

    def __init__(self, node_id: str, cluster: str, on_ack: Callable[["FakeProxy", str], None]) -> None:
        self.node_id = node_id
        self.cluster = cluster
        self.on_ack = on_ack
        self.received: dict[str, set[str]] = {type_url: set() for type_url in _REFERENCES}
        self.last_ack: dict[str, float] = {}
        self.wanted: dict[str, set[str]] = {ENDPOINT: set(), ROUTE: set(), SECRET: set()}
        self._stream = GrpcStream(_PATH, self._message)

    async def connect(self, host: str, port: int) -> None:
        """Open the stream and send the first request."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self._stream, host, port)
        first = DeltaDiscoveryRequest(type_url=CLUSTER)
        first.node.id, first.node.cluster, first.node.user_agent_name = self.node_id, self.cluster, "envoy"
        first.node.user_agent_build_version.version.major_number = 1
        first.node.user_agent_build_version.version.minor_number = 40
        self._stream.send(first.SerializeToString())

    def close(self) -> None:
        """Drop the connection."""
        self._stream.close()

    @property
    def failure(self) -> str:
        """Why the stream ended; empty as long as it lives."""
        return self._stream.failure

    def routed(self) -> bool:
        """It has clusters and listeners, and the endpoints and routes that they name."""
        return bool(self.received[CLUSTER] and self.received[LISTENER]) and all(
            map(self._has, (ENDPOINT, ROUTE))
        )

    def configured(self) -> bool:
        """All that it asked for is there, its certificate and the roots too."""
        return self.routed() and self._has(SECRET)

    def _has(self, type_url: str) -> bool:
        return bool(self.wanted[type_url]) and self.wanted[type_url] <= self.received[type_url]

    def missing(self) -> str:
        """What it still waits for, for a person."""
        wanting = [
            f"{len(names - self.received[type_url])} of {len(names)} {type_url.rpartition('.')[2]}"
            for type_url, names in self.wanted.items()
            if not names or not names <= self.received[type_url]
        ]
        wanting += [type_url for type_url in (CLUSTER, LISTENER) if not self.received[type_url]]
        return ", ".join(wanting)

    def _message(self, body: bytes) -> None:
        response = DeltaDiscoveryResponse.FromString(body)
        type_url = response.type_url
        first = type_url not in self.last_ack
        self.received[type_url].update(resource.name for resource in response.resources)
        found = {ENDPOINT: set[str](), ROUTE: set[str](), SECRET: set[str]()}
        references = _REFERENCES[type_url]
        if references is not None:
            for resource in response.resources:
                for kind, name in references(resource.resource.value):
                    found[kind].add(name)
        for kind, names in found.items():
            self._subscribe(kind, names - self.wanted[kind])
        if first and type_url == CLUSTER:
            self._stream.send(_request(LISTENER))
        self._stream.send(_request(type_url, nonce=response.nonce))
        self.last_ack[type_url] = time.perf_counter()
        self.on_ack(self, type_url)

    def _subscribe(self, type_url: str, names: set[str]) -> None:
        if names:
            self.wanted[type_url] |= names
            self._stream.send(_request(type_url, names))


def _request(type_url: str, names: Iterable[str] = (), nonce: str = "") -> bytes:
    request = DeltaDiscoveryRequest(
        type_url=type_url, resource_names_subscribe=sorted(names), response_nonce=nonce
    )
    return bytes(request.SerializeToString())


@cache
def _cluster_references(value: bytes) -> tuple[tuple[str, str], ...]:
    cluster = Cluster.FromString(value)
    found = []
    if cluster.type == Cluster.EDS:
        found.append((ENDPOINT, cluster.eds_cluster_config.service_name or cluster.name))
    if cluster.transport_socket.typed_config.Is(UpstreamTlsContext.DESCRIPTOR):
        tls = UpstreamTlsContext.FromString(cluster.transport_socket.typed_config.value)
        found += _secrets(tls.common_tls_context)
    return tuple(found)


@cache
def _listener_references(value: bytes) -> tuple[tuple[str, str], ...]:
    found = []
    for chain in Listener.FromString(value).filter_chains:
        for filter_ in chain.filters:
            if filter_.typed_config.Is(HttpConnectionManager.DESCRIPTOR):
                manager = HttpConnectionManager.FromString(filter_.typed_config.value)
                if manager.HasField("rds"):
                    found.append((ROUTE, manager.rds.route_config_name))
        if chain.transport_socket.typed_config.Is(DownstreamTlsContext.DESCRIPTOR):
            tls = DownstreamTlsContext.FromString(chain.transport_socket.typed_config.value)
            found += _secrets(tls.common_tls_context)
    return tuple(found)


def _secrets(tls: CommonTlsContext) -> list[tuple[str, str]]:
    names = {config.name for config in tls.tls_certificate_sds_secret_configs}
    names.add(tls.validation_context_sds_secret_config.name)
    names.add(tls.combined_validation_context.validation_context_sds_secret_config.name)
    return [(SECRET, name) for name in names if name]


_REFERENCES: Final = {
    CLUSTER: _cluster_references,
    ENDPOINT: None,
    LISTENER: _listener_references,
    ROUTE: None,
    SECRET: None,
}
"""What a resource of a type makes an Envoy ask for next, found once for equal bytes."""

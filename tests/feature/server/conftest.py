"""A scripted delta client of a real server."""

from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import grpc
import pytest
from envoy.service.discovery.v3.ads_pb2_grpc import AggregatedDiscoveryServiceStub
from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest, DeltaDiscoveryResponse

SECONDS = 15


class Client:
    """One delta stream of a proxy, which acknowledges everything."""

    def __init__(self, channel: Any, proxy_id: str, *tokens: str) -> None:
        self._channel = channel
        self._news: SimpleQueue[DeltaDiscoveryRequest | None] = SimpleQueue()
        self._proxy_id = proxy_id
        stub = AggregatedDiscoveryServiceStub(self._channel)
        self._responses = stub.DeltaAggregatedResources(
            iter(self._news.get, None),
            timeout=SECONDS,
            metadata=[("x-consul-token", each) for each in tokens],
        )

    def ask(self, type_url: str, *names: str) -> None:
        request = DeltaDiscoveryRequest(type_url=type_url, resource_names_subscribe=names)
        request.node.id = self._proxy_id
        self._news.put(request)

    def receive(self, type_url: str) -> DeltaDiscoveryResponse:
        """The next response of a type."""
        for response in self._responses:
            self._news.put(DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce))
            if response.type_url == type_url:
                return response
        raise AssertionError("the stream has ended")

    def ended(self) -> tuple[grpc.StatusCode, str]:
        """The status that the server ends the stream with, and why; what comes before is passed over."""
        try:
            for _ in self._responses:
                pass
        except grpc.RpcError as error:
            return error.code(), error.details()
        raise AssertionError("the stream has ended without an error")

    def close(self) -> None:
        self._news.put(None)
        self._channel.close()


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def connect_one(server: Any, proxy_id: str, *tokens: str, channel: Any = None) -> Client:
        clients.append(Client(channel or grpc.insecure_channel(server.xds), proxy_id, *tokens))
        return clients[-1]

    yield connect_one
    for client in clients:
        client.close()

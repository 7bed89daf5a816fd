"""The ADS server over a real socket, with a client that says exactly what it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf.any_pb2 import Any as AnyMessage

from xdsmesh.catalog.feed import Feed
from xdsmesh.model.errors import AddressInUseError
from xdsmesh.model.identity import Identity, service_identity
from xdsmesh.model.resource import CLUSTER, ENDPOINT, LISTENER, EncodedResource, ProxyView, Resources
from xdsmesh.status import ProxyStatus, Registry, State
from xdsmesh.store.memory import MemoryStore
from xdsmesh.tokens.admission import Admissions
from xdsmesh.tokens.known import Tokens
from xdsmesh.xds.server import SERVICE, AdsServer

PATIENCE = 10.0
EVERYBODY = Admissions(Tokens(Feed(MemoryStore())))
"""As long as there is no token, everybody is let in."""
QUIET = 0.15
"""Seconds after which nothing more is expected; only what is wrong would come later."""


def encoded(type_url: str, name: str, version: str, eds_name: str = "") -> EncodedResource:
    packed = AnyMessage()
    if type_url == CLUSTER:
        packed.Pack(cluster_pb2.Cluster(name=name, alt_stat_name=version))
    else:
        packed.Pack(endpoint_pb2.ClusterLoadAssignment(cluster_name=name))
    return EncodedResource(type_url, name, version, packed.SerializeToString(), eds_name)


def resources(type_url: str, **versions: str) -> Resources:
    return {
        name: encoded(type_url, name, version, name if type_url == CLUSTER else "")
        for name, version in versions.items()
    }


def make_view(clusters: Resources | None = None, endpoints: Resources | None = None) -> ProxyView:
    return ProxyView("web-1", clusters or {}, endpoints or {}, {}, {}, {})


class Hold:
    """A stream's hold on a proxy of ``Views``."""

    service = "web"

    def __init__(self, views: "Views", proxy_id: str, wake: Callable[[], None]) -> None:
        self._views = views
        self._proxy_id = proxy_id
        self.wake = wake

    @property
    def view(self) -> ProxyView | None:
        return self._views.views.get(self._proxy_id)

    @property
    def revision(self) -> int:
        return self._views.revision

    def close(self) -> None:
        self._views.holds.discard(self)


class Views:
    """A source whose views are set by hand."""

    def __init__(self) -> None:
        self.ready = True
        self.revision = 0
        self.views: dict[str, ProxyView] = {}
        self.holds: set[Hold] = set()
        self.coming: dict[str, ProxyView] = {}
        """What is on its way: known, and not applied yet."""

    async def applied(self) -> None:
        self.views.update(self.coming)

    def identity(self, proxy_id: str) -> Identity | None:
        return service_identity("web") if proxy_id in self.views else None

    def attach(self, proxy_id: str, wake: Callable[[], None]) -> Hold | None:
        if proxy_id not in self.views:
            return None
        hold = Hold(self, proxy_id, wake)
        self.holds.add(hold)
        return hold

    def put(self, view: ProxyView | None, proxy_id: str = "web-1") -> None:
        if view is None:
            del self.views[proxy_id]
        else:
            self.views[proxy_id] = view
        self.revision += 1
        for hold in self.holds:
            hold.wake()


class Client:
    """One stream. ``expect`` returns the next response, and checks that it is of the type."""

    def __init__(self, channel: Any, *, delta: bool, node: str = "web-1") -> None:
        method = "DeltaAggregatedResources" if delta else "StreamAggregatedResources"
        self.delta = delta
        self._request: Any = discovery_pb2.DeltaDiscoveryRequest if delta else discovery_pb2.DiscoveryRequest
        response: Any = discovery_pb2.DeltaDiscoveryResponse if delta else discovery_pb2.DiscoveryResponse
        self.call = channel.stream_stream(
            f"/{SERVICE}/{method}",
            request_serializer=lambda it: it if isinstance(it, bytes) else it.SerializeToString(),
            response_deserializer=response.FromString,
        )()
        self._node = {
            "id": node,
            "cluster": "web",
            "user_agent_build_version": {"version": {"major_number": 1, "minor_number": 40}},
        }
        self._reading: asyncio.Task[Any] | None = None

    async def send(self, type_url: str, **fields: Any) -> None:
        await self.call.write(self._request(node=self._node, type_url=type_url, **fields))

    async def expect(self, type_url: str) -> Any:
        self._reading = self._reading or asyncio.create_task(self.call.read())
        response = await asyncio.wait_for(asyncio.shield(self._reading), PATIENCE)
        self._reading = None
        assert response is not grpc.aio.EOF, await self.call.details()
        assert response.type_url == type_url
        return response

    async def expect_nothing(self) -> None:
        self._reading = self._reading or asyncio.create_task(self.call.read())
        done, _ = await asyncio.wait((self._reading,), timeout=QUIET)
        assert not done, self._reading.result()

    async def answer(self, response: Any, error: str = "", **fields: Any) -> None:
        detail = {"error_detail": {"code": 13, "message": error}} if error else {}
        await self.send(response.type_url, response_nonce=response.nonce, **detail, **fields)

    async def ended(self) -> tuple[grpc.StatusCode, str]:
        async with asyncio.timeout(PATIENCE):
            return await self.call.code(), await self.call.details()

    async def close(self) -> None:
        if self._reading:
            self._reading.cancel()
            await asyncio.wait((self._reading,))
        self.call.cancel()


@pytest.fixture
def views() -> Views:
    views = Views()
    views.views["web-1"] = make_view(resources(CLUSTER, a="1", b="1"), resources(ENDPOINT, a="1", b="1"))
    return views


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
async def server(views: Views, registry: Registry) -> AsyncIterator[AdsServer]:
    server = AdsServer(views, EVERYBODY, registry, lambda: datetime.now(UTC))
    yield server
    await server.stop(1)


@pytest.fixture
async def connect(server: AdsServer) -> AsyncIterator[Callable[..., Client]]:
    port = await server.start("127.0.0.1:0")
    clients: list[Client] = []
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:

        def connect(*, delta: bool = True, node: str = "web-1") -> Client:
            clients.append(Client(channel, delta=delta, node=node))
            return clients[-1]

        yield connect
        for client in clients:
            await client.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - the status has no event to wait for
            await asyncio.sleep(0.005)


def only_proxy(registry: Registry) -> ProxyStatus:
    (proxy,) = registry.snapshot().connected
    return proxy


Connect = Callable[..., Client]
both_variants = pytest.mark.parametrize("delta", [True, False], ids=["delta", "sotw"])


async def test_delta_from_the_first_request_to_a_push(
    connect: Connect, views: Views, registry: Registry
) -> None:
    client = connect()
    await client.send(CLUSTER)
    clusters = await client.expect(CLUSTER)
    assert {it.name: it.version for it in clusters.resources} == {"a": "1", "b": "1"}
    unpacked = cluster_pb2.Cluster()
    assert clusters.resources[0].resource.Unpack(unpacked)
    assert unpacked.name == clusters.resources[0].name
    await client.send(ENDPOINT, resource_names_subscribe=["a", "b", "none"])
    await client.answer(clusters)
    endpoints = await client.expect(ENDPOINT)
    assert {it.name for it in endpoints.resources} == {"a", "b"}
    assert list(endpoints.removed_resources) == ["none"]
    await client.answer(endpoints)
    await until(lambda: all(it.state is State.SYNCED for it in only_proxy(registry).types))
    view = views.views["web-1"]
    views.put(make_view(view.clusters, {**view.endpoints, **resources(ENDPOINT, a="2")}))
    pushed = await client.expect(ENDPOINT)
    assert [(it.name, it.version) for it in pushed.resources] == [("a", "2")]
    await client.answer(pushed)
    await client.expect_nothing()


async def test_state_of_the_world_from_the_first_request_to_a_push(connect: Connect, views: Views) -> None:
    client = connect(delta=False)
    await client.send(CLUSTER)
    clusters = await client.expect(CLUSTER)
    assert len(clusters.resources) == 2
    assert clusters.version_info
    await client.answer(clusters, version_info=clusters.version_info)
    await client.send(ENDPOINT, resource_names=["a"])
    endpoints = await client.expect(ENDPOINT)
    await client.answer(endpoints, version_info=endpoints.version_info, resource_names=["a"])
    await client.expect_nothing()
    views.put(make_view(resources(CLUSTER, a="1", b="1", c="1"), views.views["web-1"].endpoints))
    assert len((await client.expect(CLUSTER)).resources) == 3


@both_variants
async def test_status_tells_who_is_connected_and_what_it_acknowledged(
    connect: Connect,
    registry: Registry,
    views: Views,
    delta: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    views.revision = 41
    client = connect(delta=delta)
    await client.send(CLUSTER)
    response = await client.expect(CLUSTER)
    proxy = only_proxy(registry)
    assert (proxy.proxy, proxy.service, proxy.envoy_version) == ("web-1", "web", "1.40.0")
    assert proxy.variant == ("delta" if delta else "sotw")
    assert proxy.address.startswith("127.0.0.1:")
    assert [(it.type, it.state) for it in proxy.types] == [("CDS", State.STALE)]
    assert proxy.revision == -1
    await client.answer(response)
    await until(lambda: only_proxy(registry).types[0].state is State.SYNCED)
    assert only_proxy(registry).revision == 41


async def test_a_client_that_comes_back_with_everything_is_sent_nothing(
    connect: Connect, registry: Registry
) -> None:
    client = connect()
    await client.send(CLUSTER, initial_resource_versions={"a": "1", "b": "1"})
    await client.send(
        ENDPOINT, resource_names_subscribe=["a", "b"], initial_resource_versions={"a": "1", "b": "1"}
    )
    await client.expect_nothing()
    assert [it.state for it in only_proxy(registry).types] == [State.SYNCED, State.SYNCED]
    assert [it.responses for it in only_proxy(registry).types] == [0, 0]


async def test_a_client_that_comes_back_is_sent_the_differences(connect: Connect) -> None:
    client = connect()
    await client.send(CLUSTER, initial_resource_versions={"a": "1", "b": "0", "gone": "1"})
    response = await client.expect(CLUSTER)
    assert [it.name for it in response.resources] == ["b"]
    assert list(response.removed_resources) == []  # what replaces a cluster may have counted on it
    await client.answer(response)
    assert list((await client.expect(CLUSTER)).removed_resources) == ["gone"]


@both_variants
async def test_a_rejection_is_shown_and_not_repeated(
    connect: Connect,
    registry: Registry,
    views: Views,
    delta: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    client = connect(delta=delta)
    await client.send(CLUSTER)
    await client.answer(await client.expect(CLUSTER), error="no such\nthing as b")
    await client.expect_nothing()
    (clusters,) = only_proxy(registry).types
    assert (clusters.state, clusters.error, clusters.nacks) == (State.ERROR, "no such thing as b", 1)
    assert set(clusters.rejected) == {"a", "b"}
    views.put(make_view(resources(CLUSTER, a="1", b="2")))
    response = await client.expect(CLUSTER)
    assert len(response.resources) == 2
    await client.answer(response)
    await until(lambda: only_proxy(registry).types[0].state is State.SYNCED)


async def test_two_streams_of_one_proxy_are_both_served(connect: Connect, views: Views) -> None:
    first, second = connect(), connect(delta=False)
    for client in (first, second):
        await client.send(CLUSTER)
        await client.answer(await client.expect(CLUSTER))
    views.put(make_view(resources(CLUSTER, a="2", b="1")))
    for client in (first, second):
        await client.answer(await client.expect(CLUSTER))
    await first.close()
    await until(lambda: len(views.holds) == 1)
    views.put(make_view(resources(CLUSTER, a="3", b="1")))
    await second.expect(CLUSTER)


async def test_a_proxy_that_was_registered_just_now_is_served(connect: Connect, views: Views) -> None:
    views.coming["web-2"] = views.views["web-1"]
    client = connect(node="web-2")
    await client.send(CLUSTER)
    assert {it.name for it in (await client.expect(CLUSTER)).resources} == {"a", "b"}


async def test_a_proxy_that_is_not_registered_is_refused_and_shown(
    connect: Connect, registry: Registry
) -> None:
    for _ in range(2):
        stranger = connect(node="stranger\n-1")
        await stranger.send(CLUSTER)
        code, details = await stranger.ended()
        assert code is grpc.StatusCode.NOT_FOUND
        assert "'stranger -1'" in details
        assert "register" in details
    (refused,) = registry.snapshot().refused
    assert (refused.proxy, refused.address, refused.times) == ("stranger -1", "127.0.0.1", 2)
    assert registry.snapshot().connected == ()


@pytest.mark.parametrize("node", ["", "x" * 300], ids=["none", "endless"])
async def test_a_node_without_a_usable_id_is_refused(connect: Connect, node: str) -> None:
    client = connect(node=node)
    await client.send(CLUSTER)
    code, details = await client.ended()
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "--service-node" in details


async def test_nothing_is_served_before_everything_is_loaded(connect: Connect, views: Views) -> None:
    views.ready = False
    client = connect()
    await client.send(CLUSTER)
    assert (await client.ended())[0] is grpc.StatusCode.UNAVAILABLE


@both_variants
@pytest.mark.parametrize("greeted", [False, True], ids=["first", "later"])
async def test_bytes_that_are_no_request_end_their_stream_alone(
    connect: Connect,
    views: Views,
    delta: bool,  # noqa: FBT001 - a parameter of the test
    greeted: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    neighbour, client = connect(), connect(delta=delta)
    await neighbour.send(CLUSTER)
    await neighbour.answer(await neighbour.expect(CLUSTER))
    if greeted:
        await client.send(CLUSTER)
        await client.expect(CLUSTER)
    await client.call.write(b"\xff\xff\xff")
    code, details = await client.ended()
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "Decode" not in details
    views.put(make_view(resources(CLUSTER, a="2", b="1")))
    await neighbour.expect(CLUSTER)


async def test_a_request_without_a_type_is_refused(connect: Connect) -> None:
    client = connect()
    await client.send("")
    assert (await client.ended())[0] is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_failure_of_ours_tells_the_client_nothing(connect: Connect, views: Views) -> None:
    client = connect()
    views.views["web-1"] = "not a view"  # type: ignore[assignment]
    await client.send(CLUSTER)
    code, details = await client.ended()
    assert code is grpc.StatusCode.INTERNAL
    assert "attribute" not in details


async def test_a_deregistered_proxy_is_told_so(connect: Connect, views: Views) -> None:
    client = connect()
    await client.send(CLUSTER)
    await client.expect(CLUSTER)
    views.put(None)
    code, details = await client.ended()
    assert code is grpc.StatusCode.NOT_FOUND
    assert "no longer registered" in details


async def test_a_client_that_has_said_all_it_will_say_ends_well(
    connect: Connect, views: Views, registry: Registry
) -> None:
    client = connect()
    await client.send(CLUSTER)
    await client.expect(CLUSTER)
    await client.call.done_writing()
    assert (await client.ended())[0] is grpc.StatusCode.OK
    await until(lambda: not views.holds)
    assert registry.snapshot().connected == ()


async def test_a_client_that_hangs_up_is_forgotten(
    connect: Connect, views: Views, registry: Registry
) -> None:
    client = connect()
    await client.send(CLUSTER)
    await client.expect(CLUSTER)
    await client.close()
    await until(lambda: not views.holds and registry.snapshot().connected == ())


@both_variants
async def test_stopping_ends_streams_with_unavailable(
    connect: Connect,
    server: AdsServer,
    delta: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    client = connect(delta=delta)
    await client.send(CLUSTER)
    await client.expect(CLUSTER)
    async with asyncio.timeout(PATIENCE):
        await server.stop(30)
    assert (await client.ended())[0] is grpc.StatusCode.UNAVAILABLE


async def test_a_port_that_is_taken_is_a_clear_error(connect: Connect, server: AdsServer) -> None:
    del connect
    other = AdsServer(Views(), EVERYBODY, Registry(), lambda: datetime.now(UTC))
    port = await other.start("127.0.0.1:0")
    third = AdsServer(Views(), EVERYBODY, Registry(), lambda: datetime.now(UTC))
    with pytest.raises(AddressInUseError, match=f"127.0.0.1:{port}.*--xds-addr"):
        await third.start(f"127.0.0.1:{port}")
    await other.stop(0)
    await server.stop(0)


async def test_a_client_that_reads_nothing_holds_up_nobody(connect: Connect, views: Views) -> None:
    stuck, client = connect(), connect()
    many = {f"c{number}": encoded(CLUSTER, f"c{number}", "x" * 500) for number in range(2000)}
    views.put(make_view(many))
    for it in (stuck, client):
        await it.send(CLUSTER)
    await client.answer(await client.expect(CLUSTER))
    for version in range(20):
        views.put(make_view({**many, **resources(CLUSTER, a=str(version))}))
        pushed = await client.expect(CLUSTER)
        assert [it.version for it in pushed.resources] == [str(version)]
        await client.answer(pushed)
    await stuck.answer(await stuck.expect(CLUSTER))
    assert [it.version for it in (await stuck.expect(CLUSTER)).resources] == ["19"], "what came between"


async def test_a_type_that_is_not_served_ends_nothing(connect: Connect) -> None:
    client = connect()
    await client.send("type.googleapis.com/envoy.service.runtime.v3.Runtime", resource_names_subscribe=["r"])
    response = await client.expect("type.googleapis.com/envoy.service.runtime.v3.Runtime")
    assert list(response.removed_resources) == ["r"]
    await client.send(LISTENER)
    await client.expect(LISTENER)

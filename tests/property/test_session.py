"""Whatever happens in whatever order: a client ends up with its view, and never uses what it does not hold.

The client behaves as Envoy does: it asks for the endpoints of new clusters before it acknowledges them, for
the routes that its listeners name, and leaves those whose users are gone. Versions tell what a resource
refers to: ``3|a,b`` is the third version, and names the clusters a and b; ``3|@r`` names the route r. A
cluster that names others is one of clusters, and needs no endpoints.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xdsmesh.model.resource import CLUSTER, ENDPOINT, LISTENER, ROUTE, SECRET, EncodedResource, ProxyView
from xdsmesh.xds.delta import DeltaSubscription
from xdsmesh.xds.messages import Close, DeltaRequest, Response, SotwRequest
from xdsmesh.xds.order import RECONNECT_SECONDS
from xdsmesh.xds.session import Session
from xdsmesh.xds.sotw import SotwSubscription

WITH_ENDPOINTS = ("a", "b", "c")
CLUSTERS = (*WITH_ENDPOINTS, "static")
ROOTS = (CLUSTER, LISTENER)
ALL_TYPES = (CLUSTER, ENDPOINT, LISTENER, ROUTE, SECRET)
MANY = 1000
World = tuple[dict[str, str], ...]


def references(version: str) -> set[str]:
    return set(filter(None, version.partition("|")[2].split(",")))


def needing_endpoints(clusters: dict[str, str]) -> set[str]:
    return {name for name, version in clusters.items() if name in WITH_ENDPOINTS and not references(version)}


@dataclass
class Client:
    """A client of one variant; queues in both directions stand for the network."""

    delta: bool
    held: dict[str, dict[str, str]] = field(default_factory=lambda: {t: {} for t in ALL_TYPES})
    named: dict[str, set[str]] = field(default_factory=lambda: {t: set() for t in ALL_TYPES})
    refused: set[tuple[str, str]] = field(default_factory=set)
    nonces: dict[str, str] = field(default_factory=dict)
    requests: deque[DeltaRequest | SotwRequest] = field(default_factory=deque)
    responses: deque[Response] = field(default_factory=deque)
    opened: set[str] = field(default_factory=set)
    versions: dict[str, str] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    replaced: dict[str, str] = field(default_factory=dict)
    """Clusters of clusters that stay in use until what came in their place has endpoints."""

    def connect(self) -> None:
        self.requests.clear()
        self.responses.clear()
        self.nonces.clear()
        self.opened.clear()
        for type_url in ALL_TYPES:
            if type_url in ROOTS or self.named[type_url]:
                self.ask(type_url, add=self.named[type_url])

    def ask(
        self,
        type_url: str,
        add: Iterable[str] = (),
        drop: Iterable[str] = (),
        *,
        nonce: str = "",
        error: str | None = None,
    ) -> None:
        first = type_url not in self.opened
        self.opened.add(type_url)
        if self.delta:
            initial = dict(self.held[type_url]) if first else {}
            self.requests.append(
                DeltaRequest(type_url, nonce, error, tuple(sorted(add)), tuple(sorted(drop)), initial)
            )
        else:
            names = tuple(sorted(self.named[type_url]))
            version = self.versions.get(type_url, "")
            self.requests.append(
                SotwRequest(type_url, nonce or self.nonces.get(type_url, ""), error, names, version)
            )

    def want(self, type_url: str, names: set[str]) -> None:
        """Hold a subscription to exactly these names."""
        before = self.named[type_url]
        if names == before:
            return
        self.named[type_url] = set(names)
        if not names:
            self.left.add(type_url)
        for name in before - names:
            self.held[type_url].pop(name, None)
            self.refused.discard((type_url, name))
        self.ask(type_url, add=names - before, drop=before - names)

    def read(self, *, reject: bool) -> None:
        response = self.responses.popleft()
        type_url = response.type_url
        self.nonces[type_url] = response.nonce
        names = {it.name for it in response.resources}
        assert len(names) == len(response.resources)
        assert not names & set(response.removed)
        if reject:
            self.refused |= {(type_url, name) for name in names}
            self.ask(type_url, nonce=response.nonce, error="one of them is bad")
            return
        self.apply(response)
        self.versions[type_url] = response.version
        self.follow(type_url)
        self.ask(type_url, nonce=response.nonce)

    def apply(self, response: Response) -> None:
        held = self.held[response.type_url]
        fresh = {it.name: it.version for it in response.resources}
        if response.type_url == CLUSTER:
            self.replaced |= {name: held[name] for name in fresh if references(held.get(name, ""))}
        if not self.delta and response.type_url in ROOTS:
            held.clear()
        if response.type_url not in ROOTS:
            fresh = {name: it for name, it in fresh.items() if name in self.named[response.type_url]}
        held.update(fresh)
        late = {name for name in fresh if (response.type_url, name) in self.refused}
        self.refused -= {(response.type_url, name) for name in late}
        if response.type_url == CLUSTER:  # it was in use before it was accepted, so without endpoints too
            self.refused |= {(ENDPOINT, name) for name in late}
        if self.delta:
            for name in response.removed:
                held.pop(name, None)

    def follow(self, type_url: str) -> None:
        if type_url == CLUSTER:
            extra = self.named[ENDPOINT] - set(WITH_ENDPOINTS)
            self.want(ENDPOINT, extra | needing_endpoints(self.held[CLUSTER]))
        elif type_url == LISTENER:
            used = set().union(*(references(version) for version in self.held[LISTENER].values()))
            self.want(ROUTE, {name[1:] for name in used if name.startswith("@")})

    def broken(self) -> set[str]:
        """Clusters in use that are not there, or have no endpoints, through no fault of the client."""
        users = (*self.held[LISTENER].values(), *self.held[ROUTE].values())
        used = {name for name in set().union(*map(references, users)) if not name.startswith("@")}
        cold = needing_endpoints(self.held[CLUSTER]) - self.held[ENDPOINT].keys()
        kept = {name: self.replaced[name] for name in used & cold & self.replaced.keys()}
        clusters = self.held[CLUSTER] | kept
        used |= set().union(*(references(clusters.get(name, "")) for name in used))
        absent = {name for name in used - self.held[CLUSTER].keys() if (CLUSTER, name) not in self.refused}
        return absent | {
            name
            for name in (used & needing_endpoints(clusters)) - self.held[ENDPOINT].keys()
            if (ENDPOINT, name) not in self.refused
        }


class Network:
    """A client and its session."""

    def __init__(self, *, delta: bool) -> None:
        self.client = Client(delta)
        self.view = make_view({}, {}, {}, {}, {})
        self.responses = 0
        self.rejections = 0
        self.reconnected = False
        self.connect()

    def connect(self) -> None:
        make: Any = DeltaSubscription if self.client.delta else SotwSubscription
        self.session: Session[Any] = Session(make, 0.0)
        self.now = 0.0
        self.client.connect()

    def respond(self) -> None:
        for action in self.session.respond(self.view, self.now):
            if isinstance(action, Response):
                self.client.responses.append(action)
                self.responses += 1
                in_flight = [it for it in self.client.responses if it.type_url == action.type_url]
                # Envoy does not answer for a type that it has left; so nobody waits for that.
                left = action.type_url in self.client.left
                assert left or len(in_flight) == 1, "more than one response of a type is unanswered"

    def serve(self) -> None:
        if self.client.requests:
            assert not isinstance(self.session.receive(self.client.requests.popleft()), Close)
            if self.session.pending:
                self.respond()

    def read(self, *, reject: bool = False) -> None:
        if self.client.responses:
            self.rejections += reject
            self.client.read(reject=reject)
            # Who comes back in state of the world can't tell the server which clusters it has in use.
            if self.client.delta or not self.reconnected:
                assert not self.client.broken()

    def drain(self) -> None:
        before = self.responses
        while self.client.requests or self.client.responses or self.session.deadline:
            self.serve()
            self.read()
            assert self.responses - before < MANY, "this never ends"
            if not self.client.requests and not self.client.responses and self.session.deadline:
                assert self.session.deadline <= RECONNECT_SECONDS, "something waits for what can't come"
                self.now = RECONNECT_SECONDS
                self.respond()

    def expected(self, type_url: str) -> dict[str, str]:
        resources = self.view.of(type_url)
        names = resources.keys() if type_url in ROOTS else resources.keys() & self.client.named[type_url]
        return {name: resources[name].version for name in names}

    def assert_equal(self) -> None:
        for type_url in (CLUSTER, LISTENER):
            assert self.client.held[type_url] == self.expected(type_url)
        for type_url in (ENDPOINT, ROUTE, SECRET):
            held = self.client.held[type_url]
            expected = self.expected(type_url)
            # Nobody is told that a secret is gone, and in state of the world nothing but roots can be taken.
            taken = self.client.delta and type_url != SECRET
            assert held == expected if taken else {n: held.get(n) for n in expected} == expected
        assert self.session.acknowledged(self.view)
        assert self.session.respond(self.view, self.now) == []


def make_view(*types: dict[str, str]) -> ProxyView:
    return ProxyView(
        "p",
        *(
            {
                name: EncodedResource(
                    type_url,
                    name,
                    version,
                    b"",
                    name if type_url == CLUSTER and name in needing_endpoints(held) else "",
                    tuple(sorted(references(version))) if type_url == CLUSTER else (),
                )
                for name, version in held.items()
            }
            for type_url, held in zip(ALL_TYPES, types, strict=True)
        ),
    )


numbers = st.integers(1, 3).map(str)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Versions by name of each type. What is referred to exists."""
    clusters = draw(st.dictionaries(st.sampled_from(CLUSTERS), numbers))
    members = clusters.keys() & {"a", "b"}
    if "c" in clusters and members and draw(st.booleans()):
        clusters["c"] += f"|{','.join(sorted(members))}"
    some = st.lists(st.sampled_from(sorted(clusters)), unique=True) if clusters else st.just([])
    routes = {
        name: f"{draw(numbers)}|{','.join(sorted(draw(some)))}"
        for name in draw(st.sets(st.sampled_from(["r", "s"])))
    }
    listeners = {
        name: f"{draw(numbers)}|{','.join(sorted({f'@{it}' for it in routes} | set(draw(some))))}"
        for name in draw(st.sets(st.sampled_from(["l", "m"])))
    }
    if not listeners:
        routes = {}
    endpoints = {name: draw(numbers) for name in sorted(needing_endpoints(clusters))}
    extra = draw(st.dictionaries(st.sampled_from(["x", "y"]), numbers))
    return clusters, endpoints | extra, listeners, routes, extra


def steps() -> st.SearchStrategy[list[tuple[str, Any]]]:
    return st.lists(
        st.one_of(
            st.tuples(st.just("view"), worlds()),
            st.tuples(st.just("serve"), st.none()),
            st.tuples(st.just("read"), st.none()),
            st.tuples(st.just("drain"), st.none()),
            st.tuples(st.just("reject"), st.none()),
            st.tuples(st.just("want"), st.tuples(st.sampled_from([ENDPOINT, SECRET]), st.sampled_from("xy"))),
            st.tuples(
                st.just("leave"), st.tuples(st.sampled_from([ENDPOINT, SECRET]), st.sampled_from("xy"))
            ),
            st.tuples(st.just("reconnect"), st.none()),
        ),
        max_size=40,
    )


def play(network: Network, step: str, value: Any) -> None:
    client = network.client
    match step:
        case "view":
            network.view = make_view(*value)
            network.respond()
        case "serve":
            network.serve()
        case "read" | "reject":
            network.read(reject=step == "reject")
        case "drain":
            network.drain()
        case "want":
            client.want(value[0], client.named[value[0]] | {value[1]})
        case "leave":
            client.want(value[0], client.named[value[0]] - {value[1]})
        case "reconnect":
            network.reconnected = True
            network.connect()


@pytest.mark.parametrize("delta", [True, False], ids=["delta", "sotw"])
@settings(max_examples=150, deadline=None)
@given(script=steps(), last=worlds())
def test_a_client_ends_up_with_its_view_and_never_uses_what_it_does_not_hold(
    delta: bool,  # noqa: FBT001 - a parameter of the test
    script: list[tuple[str, Any]],
    last: World,
) -> None:
    network = Network(delta=delta)
    for step, value in script:
        play(network, step, value)
    network.drain()
    if not network.rejections:
        network.assert_equal()
    anew = [{name: f"new{version}" for name, version in held.items()} for held in last]
    play(network, "view", [{"z": "new"} | held for held in anew])
    network.drain()
    network.assert_equal()

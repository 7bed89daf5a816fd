"""Whatever is written, in whatever order: who waits for a change of what it has read hears of it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from litestar.types import ASGIApp, Message

from xdsmesh.api.about import About
from xdsmesh.model.catalog import Node
from xdsmesh.store.memory import MemoryStore

if TYPE_CHECKING:
    from tests.conftest import AtWork

Write = tuple[str, str, Any]
"""A method, a path and a body."""

OWN: Final = Node("own", "127.0.0.1", "dc1")

READS: Final = (
    "catalog/nodes?node-meta=rack:1",
    "catalog/services",
    "catalog/services?filter=ServiceAddress==`10.0.0.2`",
    "catalog/service/web",
    "catalog/service/web?tag=v1",
    "catalog/service/web-sidecar-proxy?merge-central-config",
    "catalog/connect/web?merge-central-config",
    "catalog/node/own",
    "catalog/node/far",
    "catalog/node-services/far?merge-central-config",
    "catalog/gateway-services/gate",
    "health/service/web",
    "health/service/web?passing",
    "health/connect/web",
    "health/checks/web",
    "health/node/own",
    "health/node/far",
    "health/state/any",
    "health/state/critical?node-meta=rack:1",
    "config/service-defaults",
    "config/proxy-defaults/global",
    "connect/intentions",
    "connect/intentions/match?by=destination&name=web",
    "connect/intentions/exact?source=db&destination=web",
    "discovery-chain/web",
)


def put(path: str, **body: object) -> Write:
    return "PUT", path, body


def entry(kind: str, name: str, **fields: object) -> Write:
    return put("config", Kind=kind, Name=name, **fields)


CHECKS: Final = st.sampled_from(([], [{"TTL": "1h"}], [{"TTL": "1h", "Status": "passing"}] * 2))
TAGS: Final = st.sampled_from(([], ["v1"], ["v2"]))
SERVICES: Final = st.sampled_from(("web", "db", "gate"))
NODES: Final = st.sampled_from(("far", "FAR", "near"))
STATUSES: Final = st.sampled_from(("", "passing", "warning", "critical"))
SHAPES: Final[st.SearchStrategy[dict[str, object]]] = st.sampled_from(
    (
        {},
        {"Connect": {"Native": True}},
        {"Kind": "terminating-gateway"},
        {"Kind": "connect-proxy", "Proxy": {"DestinationServiceName": "web"}},
    )
)


@st.composite
def external(draw: st.DrawFn) -> Write:
    node = draw(NODES)
    service = draw(SERVICES)
    parts: dict[str, object] = {}
    if draw(st.booleans()):
        parts["Service"] = {"Service": service, "Port": 80, "Tags": draw(TAGS), **draw(SHAPES)}
    if draw(st.booleans()):
        of = {"ServiceID": service} if "Service" in parts and draw(st.booleans()) else {}
        parts["Check"] = {"Name": "probe", "Status": draw(STATUSES), **of}
    rack = draw(st.sampled_from(("1", "2")))
    return put("catalog/register", Node=node, Address="10.0.0.2", NodeMeta={"rack": rack}, **parts)


WRITES: Final = st.one_of(
    external(),
    st.builds(
        lambda checks, tags, sidecar: put(
            "agent/service/register",
            Name="web",
            Port=80,
            Tags=tags,
            Checks=checks,
            **({"Connect": {"SidecarService": {}}} if sidecar else {}),
        ),
        CHECKS,
        TAGS,
        st.booleans(),
    ),
    st.builds(lambda status: put("agent/check/update/service:web", Status=status), STATUSES),
    st.builds(
        lambda node, only: put("catalog/deregister", Node=node, **only),
        NODES,
        st.sampled_from(({}, {"ServiceID": "web"}, {"ServiceID": "gate"}, {"CheckID": "probe"})),
    ),
    st.sampled_from(
        (
            put("agent/service/deregister/web"),
            put("agent/check/register", Name="disk", TTL="1h"),
            put("agent/check/deregister/disk"),
            put("agent/check/pass/disk"),
            put("agent/maintenance?enable=true"),
            put("agent/maintenance?enable=false"),
            put("agent/service/maintenance/web?enable=true"),
            put("agent/service/maintenance/web?enable=false"),
            entry("service-defaults", "web", Protocol="http"),
            entry("service-defaults", "web", Protocol="tcp"),
            entry("proxy-defaults", "global", Config={"protocol": "http"}),
            entry("service-resolver", "web", ConnectTimeout="3s"),
            entry("service-intentions", "web", Sources=[{"Name": "db", "Action": "deny"}]),
            entry("service-intentions", "*", Sources=[{"Name": "*", "Action": "deny"}]),
            entry("terminating-gateway", "gate", Services=[{"Name": "*"}]),
            entry("terminating-gateway", "gate", Services=[{"Name": "web"}]),
            ("DELETE", "config/service-defaults/web", None),
            ("DELETE", "config/proxy-defaults/global", None),
            ("DELETE", "config/service-intentions/web", None),
            ("DELETE", "config/terminating-gateway/gate", None),
        )
    ),
)


class Answer(NamedTuple):
    status: int
    revision: int
    body: bytes


async def call(app: ASGIApp, method: str, path: str, body: object = None) -> Answer:
    """A request, without a network, of a caller who never goes."""
    head, _, query = path.partition("?")
    path = f"/v1/{head}"
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "http_version": "1.1",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8500),
    }
    coming = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        return coming.pop() if coming else await asyncio.Event().wait()

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)  # type: ignore[arg-type]
    headers = {name.lower(): value for name, value in sent[0]["headers"]}
    index = int(headers.get(b"x-consul-index", 0))
    return Answer(sent[0]["status"], index, b"".join(each["body"] for each in sent[1:]))


class Reader:
    """Somebody who has read a path, and waits for another answer."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self.path = path
        self._prefix = f"{path}{'&' if '?' in path else '?'}"
        self._app = app
        self._known = Answer(0, 0, b"")
        self._waiter: asyncio.Task[Answer] | None = None

    async def look(self) -> None:
        """Read, compare with what was there before, and wait for the next change."""
        # Who waits must not decide about what this one is told.
        now = await call(self._app, "GET", f"{self._prefix}reader=another")
        assert now.status in (200, 404), (self.path, now)
        assert now.revision >= max(1, self._known.revision), (self.path, "an index fell")
        if self._waiter and (now.status, now.body) != (self._known.status, self._known.body):
            assert now.revision > self._known.revision, (self.path, self._known, now)
            woken = await asyncio.wait_for(self._waiter, 5)
            assert woken.revision > self._known.revision, (self.path, "woken with an old index")
            self._waiter = None
        self._known = now
        if self._waiter is None or self._waiter.done():
            waiting = call(self._app, "GET", f"{self._prefix}index={now.revision}&wait=10m")
            self._waiter = asyncio.create_task(waiting)

    async def go(self) -> None:
        if self._waiter:
            self._waiter.cancel()
            await asyncio.gather(self._waiter, return_exceptions=True)


async def play(at_work: AtWork, writes: list[Write]) -> None:
    store = MemoryStore()
    async with at_work(store, OWN) as parts:
        app = parts.app(About("0.1.0", OWN, "corp.consul"))
        readers = [Reader(app, path) for path in READS]
        for reader in readers:
            await reader.look()
        for write in writes:
            answer = await call(app, *write)
            assert answer.status < 500, (write, answer)
            await parts.feed.catch_up()
            for reader in readers:
                await reader.look()
        for reader in readers:
            await reader.go()
        parts.close()
    await store.close()


@settings(max_examples=25, deadline=None)
@given(st.lists(WRITES, min_size=1, max_size=8))
def test_no_change_is_missed_and_no_index_falls(at_work: AtWork, writes: list[Write]) -> None:
    asyncio.run(play(at_work, writes))

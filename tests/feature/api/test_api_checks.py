"""The agent's checks as a client sees them: ids and defaults, what is said, and what the server finds out."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import grpc
import httpx
import pytest

from xdsmesh.parts import ServerParts
from xdsmesh.probes.reaper import Reaper

REGISTER = "/v1/agent/check/register"
NODE = "n1"
TTL = {"TTL": "1h"}
UNKNOWN = "Unknown check ID"

Json = dict[str, Any]
Until = Callable[..., Awaitable[Any]]


async def put(api: httpx.AsyncClient, path: str, body: Json | None = None, **params: str) -> None:
    answer = await api.put(f"/v1/agent/{path}", json=body, params=params)
    assert (answer.status_code, answer.content) == (200, b""), answer.text


async def service(api: httpx.AsyncClient, *checks: Json, name: str = "web", **more: Any) -> None:
    await put(api, "service/register", {"Name": name, "Port": 80, "Checks": list(checks), **more})


async def check(api: httpx.AsyncClient, **body: Any) -> None:
    await put(api, "check/register", body)


async def shown(api: httpx.AsyncClient) -> dict[str, Json]:
    found: dict[str, Json] = (await api.get("/v1/agent/checks")).json()
    return found


async def said(api: httpx.AsyncClient, check_id: str) -> tuple[str, str]:
    found = (await shown(api))[check_id]
    return found["Status"], found["Output"]


@pytest.fixture
def status(api: httpx.AsyncClient, until: Until) -> Callable[..., Awaitable[str]]:
    """Wait until a check has a status, and return its output."""

    async def wait(check_id: str, wanted: str, output: str = "") -> str:
        _, told = await until(
            lambda: said(api, check_id), lambda answer: answer[0] == wanted and output in answer[1]
        )
        return str(told)

    return wait


# --- what is registered ---


IDS: list[tuple[Json, list[str]]] = [
    ({"Check": TTL}, ["service:web-1"]),
    ({"Checks": [TTL]}, ["service:web-1"]),
    ({"Checks": [TTL, TTL]}, ["service:web-1:1", "service:web-1:2"]),
    ({"Check": TTL, "Checks": [TTL]}, ["service:web-1:1", "service:web-1:2"]),
    ({"Checks": [TTL, {**TTL, "CheckID": "own"}, TTL]}, ["own", "service:web-1:1", "service:web-1:3"]),
    ({"Check": None, "Checks": None}, []),
    ({"Check": {}, "Checks": []}, []),
]


async def test_checks_are_called_after_their_service_unless_they_have_an_id(api: httpx.AsyncClient) -> None:
    for checks, ids in IDS:
        await put(api, "service/register", {"ID": "web-1", "Name": "web", **checks})
        assert sorted(await shown(api)) == ids
        assert {each["Name"] for each in (await shown(api)).values()} <= {"Service 'web' check"}
        await put(api, "service/deregister/web-1")


async def test_a_check_of_a_service_has_these_defaults(api: httpx.AsyncClient) -> None:
    await service(api, TTL, Tags=["v1"])
    assert (await shown(api))["service:web"] == {
        "Node": NODE,
        "CheckID": "service:web",
        "Name": "Service 'web' check",
        "Status": "critical",
        "Notes": "",
        "Output": "",
        "ServiceID": "web",
        "ServiceName": "web",
        "ServiceTags": ["v1"],
        "Type": "ttl",
        "Interval": "",
        "Timeout": "",
        "ExposedPort": 0,
        "Definition": {},
        "CreateIndex": 0,
        "ModifyIndex": 0,
    }
    (in_catalog,) = (await api.get("/v1/health/checks/web")).json()
    assert in_catalog["CreateIndex"] > 0


@pytest.mark.parametrize(
    ("body", "check_id"), [({"Name": "disk"}, "disk"), ({"Name": "disk", "ID": "d1"}, "d1")]
)
async def test_a_check_by_itself_is_called_by_its_id_else_its_name(
    api: httpx.AsyncClient, body: Json, check_id: str
) -> None:
    await check(api, **body, **TTL, Notes="how full it is")
    (only,) = (await shown(api)).values()
    assert (only["CheckID"], only["Name"], only["Notes"]) == (check_id, "disk", "how full it is")
    assert (only["ServiceID"], only["ServiceName"], only["ServiceTags"]) == ("", "", [])


async def test_a_check_of_the_node_counts_for_every_service_on_it(api: httpx.AsyncClient) -> None:
    await service(api)
    await check(api, Name="disk", **TTL)
    assert (await api.get("/v1/health/service/web", params={"passing": "1"})).json() == []
    await put(api, "check/pass/disk")
    (row,) = (await api.get("/v1/health/service/web", params={"passing": "1"})).json()
    assert {each["CheckID"] for each in row["Checks"]} == {"serfHealth", "disk"}
    await put(api, "check/warn/disk")
    assert (await api.get("/v1/health/service/web", params={"passing": "1"})).json() == []


PROBES: list[tuple[Json, str, str, str]] = [
    ({"TTL": "90s"}, "ttl", "", ""),
    ({"HTTP": "http://127.0.0.1:1/", "Interval": "90s"}, "http", "1m30s", "10s"),
    ({"TCP": "127.0.0.1:1", "Interval": "10ms", "Timeout": "250ms"}, "tcp", "1s", "250ms"),
    ({"GRPC": "127.0.0.1:1/web", "Interval": 10_000_000_000}, "grpc", "10s", "10s"),
    ({"UDP": "127.0.0.1:1", "Interval": "1h"}, "udp", "1h0m0s", "10s"),
    ({"H2PING": "127.0.0.1:1", "Interval": "10s", "Timeout": 3_000_000_000}, "h2ping", "10s", "3s"),
    ({"AliasService": "web"}, "alias", "", ""),
    ({"AliasNode": NODE}, "alias", "", ""),
    ({"args": [], "http": "http://127.0.0.1:1/", "interval": "10s"}, "http", "10s", "10s"),
]


async def test_a_check_is_of_the_kind_that_its_target_says(api: httpx.AsyncClient) -> None:
    for body, kind, interval, patience in PROBES:
        await check(api, Name="c", **body)
        found = (await shown(api))["c"]
        assert (found["Type"], found["Interval"], found["Timeout"]) == (kind, interval, patience)
        await put(api, "check/deregister/c")


STATUSES: list[str] = ["passing", "warning", "critical"]


async def test_a_check_begins_with_the_status_that_it_is_given(api: httpx.AsyncClient) -> None:
    for first in STATUSES:
        await service(api, {**TTL, "Status": first})
        await check(api, Name="c", Status=first, **TTL)
        assert {each["Status"] for each in (await shown(api)).values()} == {first}
        await put(api, "service/deregister/web")
        await put(api, "check/deregister/c")


WRONG: list[tuple[Json, str]] = [
    (TTL, "Name"),
    ({"Name": "c"}, "TTL"),
    ({"Name": "c", **TTL, "TCP": "127.0.0.1:1"}, "exclude"),
    ({"Name": "c", **TTL, "Interval": "10s"}, "Interval"),
    ({"Name": "c", "HTTP": "http://127.0.0.1:1/"}, "Interval"),
    ({"Name": "c", "TCP": "127.0.0.1:1", "Interval": "0s"}, "Interval"),
    ({"Name": "c", "TCP": "127.0.0.1:1", "Interval": "-1s"}, "negative"),
    ({"Name": "c", "AliasService": "web", "Interval": "10s"}, "Interval"),
    ({"Name": "c", "TCP": "127.0.0.1:1", "Interval": "10"}, "Interval"),
    ({"Name": "c", **TTL, "Status": "fine"}, "fine"),
    ({"Name": "c", **TTL, "Status": "Passing"}, "Passing"),
    ({"Name": "c", **TTL, "FailuresBeforeWarning": 3, "FailuresBeforeCritical": 2}, "FailuresBefore"),
    ({"Name": "c", "Args": ["true"], "Interval": "10s"}, "runs no commands"),
    ({"Name": "c", "Script": "true", "Interval": "10s"}, "runs no commands"),
    ({"Name": "c", **TTL, "Nonsense": 1}, "Nonsense"),
]


async def test_a_wrong_check_is_refused_wherever_it_stands(api: httpx.AsyncClient) -> None:
    for body, told in WRONG:
        answer = await api.put(REGISTER, json=body)
        assert answer.status_code == 400
        assert told in answer.text
        if "Name" in body:
            in_service = await api.put("/v1/agent/service/register", json={"Name": "web", "Check": body})
            assert in_service.status_code == 400
            assert told in in_service.text
        assert await shown(api) == {}
        assert (await api.get("/v1/agent/services")).json() == {}


async def test_a_check_is_of_a_service_that_is_there(api: httpx.AsyncClient) -> None:
    answer = await api.put(REGISTER, json={"Name": "c", "ServiceID": "nobody", **TTL})
    assert answer.status_code == 404
    assert 'ServiceID "nobody" does not exist' in answer.text
    await service(api)
    await check(api, Name="c", service_id="web", **TTL)
    assert (await shown(api))["c"]["ServiceName"] == "web"


# --- what is kept, replaced and removed ---


async def test_a_check_that_is_registered_again_keeps_what_it_said(api: httpx.AsyncClient) -> None:
    await service(api, TTL)
    await check(api, Name="disk", **TTL)
    for check_id in ("service:web", "disk"):
        await put(api, f"check/pass/{check_id}", note="fine")
    await service(api, {"TTL": "2h", "Notes": "new", "Status": "critical"})
    await check(api, Name="disk", TCP="127.0.0.1:1", Interval="1h", Status="critical", Notes="new")
    found = await shown(api)
    assert [found[each]["Notes"] for each in ("service:web", "disk")] == ["new", "new"]
    assert (found["service:web"]["Status"], found["service:web"]["Output"]) == ("passing", "fine")
    assert found["disk"]["Type"] == "tcp"


async def test_checks_that_are_not_given_again_stay_unless_they_are_to_be_replaced(
    api: httpx.AsyncClient,
) -> None:
    await service(api, TTL)
    await service(api, name="other", Check=TTL)
    await check(api, Name="own", ServiceID="web", **TTL)
    await check(api, Name="disk", **TTL)
    await put(api, "check/pass/service:web", note="fine")

    await service(api)
    everything = {"service:web", "own", "disk", "service:other"}
    assert set(await shown(api)) == everything
    for value in ("false", "0"):
        body = {"Name": "web", "Checks": [{**TTL, "CheckID": "new"}]}
        await put(api, "service/register", body, **{"replace-existing-checks": value})
        assert set(await shown(api)) == everything | {"new"}
    body = {"Name": "web", "Checks": [TTL]}
    await put(api, "service/register", body, **{"replace-existing-checks": "true"})
    assert set(await shown(api)) == {"service:web", "disk", "service:other"}
    assert await said(api, "service:web") == ("passing", "fine")
    await put(api, "service/register", {"Name": "web"}, **{"replace-existing-checks": ""})
    assert set(await shown(api)) == {"disk", "service:other"}


async def test_a_check_goes_when_it_is_deregistered_or_its_service_is(api: httpx.AsyncClient) -> None:
    await service(api, TTL, {**TTL, "CheckID": "a/b:c d"})
    await check(api, Name="own", ServiceID="web", **TTL)
    await check(api, Name="disk", **TTL)
    await put(api, "check/deregister/a/b:c d")
    assert set(await shown(api)) == {"service:web:1", "own", "disk"}
    again = await api.put("/v1/agent/check/deregister/a/b:c d")
    assert again.status_code == 404
    assert f'{UNKNOWN} "a/b:c d"' in again.text
    await put(api, "service/deregister/web")
    assert set(await shown(api)) == {"disk"}
    await service(api, TTL)
    assert (await shown(api))["service:web"]["Status"] == "critical", "it has forgotten its former life"


async def test_a_check_may_move_to_another_service(api: httpx.AsyncClient) -> None:
    await service(api)
    await service(api, name="other")
    await check(api, Name="c", ServiceID="web", **TTL)
    await put(api, "check/pass/c")
    await check(api, Name="c", ServiceID="other", **TTL)
    assert (await api.get("/v1/health/checks/web")).json() == []
    (moved,) = (await api.get("/v1/health/checks/other")).json()
    assert (moved["CheckID"], moved["Status"], moved["ServiceName"]) == ("c", "passing", "other")
    await put(api, "service/deregister/web")
    assert set(await shown(api)) == {"c"}


# --- TTL ---


WORDS: list[tuple[str, str]] = [("pass", "passing"), ("warn", "warning"), ("fail", "critical")]


async def test_the_owner_of_a_ttl_check_says_how_it_is(api: httpx.AsyncClient) -> None:
    for word, health in WORDS:
        await service(api, TTL)
        await put(api, f"check/{word}/service:web", note="as I said")
        assert await said(api, "service:web") == (health, "as I said")
        (in_catalog,) = (await api.get("/v1/health/checks/web")).json()
        assert (in_catalog["Status"], in_catalog["Output"]) == (health, "as I said")
        await put(api, f"check/{word}/service:web")
        assert await said(api, "service:web") == (health, "")
        await put(api, "check/update/service:web", {"Status": health, "Output": "in a body"})
        assert await said(api, "service:web") == (health, "in a body")


@pytest.mark.parametrize(("size", "kept"), [(0, 4096), (100, 100), (5000, 4096)])
async def test_of_long_output_the_beginning_is_kept(api: httpx.AsyncClient, size: int, kept: int) -> None:
    await check(api, Name="c", OutputMaxSize=size, **TTL)
    text = "x" * 4999
    for path, body, params in (
        ("update", {"Status": "passing", "Output": text}, {}),
        ("pass", None, {"note": text}),
    ):
        await put(api, f"check/{path}/c", body, **params)
        _, output = await said(api, "c")
        assert output == "x" * kept


@pytest.mark.parametrize("word", ["pass", "warn", "fail", "update"])
async def test_only_ttl_checks_are_told_how_they_are(api: httpx.AsyncClient, word: str) -> None:
    await check(api, Name="tcp", TCP="127.0.0.1:1", Interval="1h")
    body = {"Status": "passing"} if word == "update" else None
    answer = await api.put(f"/v1/agent/check/{word}/tcp", json=body)
    assert answer.status_code == 400
    assert 'CheckID "tcp" does not have associated TTL' in answer.text
    answer = await api.put(f"/v1/agent/check/{word}/nobody", json=body)
    assert answer.status_code == 404
    assert f'{UNKNOWN} "nobody"' in answer.text


NO_STATUSES: list[Json] = [
    {},
    {"Status": ""},
    {"Status": "fine"},
    {"Status": "PASSING"},
    {"Status": "pass"},
    {"Output": "x"},
]


async def test_a_status_is_one_of_three_words(api: httpx.AsyncClient) -> None:
    for body in NO_STATUSES:
        await check(api, Name="c", **TTL)
        answer = await api.put("/v1/agent/check/update/c", json=body)
        assert answer.status_code == 400
        assert "Status" in answer.text
        assert await said(api, "c") == ("critical", "")


async def test_who_says_nothing_in_time_is_critical_until_he_speaks_again(
    api: httpx.AsyncClient, status: Any
) -> None:
    await check(api, Name="c", TTL="50ms")
    assert await status("c", "critical", "TTL expired") == "TTL expired"
    await put(api, "check/pass/c", note="here I am")
    told = await status("c", "critical", "TTL expired")
    assert told.startswith("TTL expired")
    assert "here I am" in told


async def test_who_speaks_in_time_stays_as_he_says(api: httpx.AsyncClient, status: Any) -> None:
    await check(api, Name="late", TTL="500ms", Status="passing")
    await check(api, Name="kept", TTL="500ms", Status="passing")
    await asyncio.gather(status("late", "critical"), beating(api, "kept", until=status("late", "critical")))
    assert (await said(api, "kept"))[0] == "passing"


async def beating(api: httpx.AsyncClient, check_id: str, until: Awaitable[Any]) -> None:
    ended = asyncio.ensure_future(until)
    while not ended.done():
        await put(api, f"check/pass/{check_id}")
        await asyncio.wait([ended], timeout=0.05)
    await ended


# --- what the server finds out ---


class Backend:
    """An HTTP server that answers as it is told to, on a port that it keeps while it is down."""

    def __init__(self) -> None:
        self.answer = "200 OK"
        self.body = b"hello"
        self.port = 0
        self.requests: list[bytes] = []
        self._server: asyncio.Server | None = None

    async def up(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def down(self) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            head = f"HTTP/1.1 {self.answer}\r\nContent-Length: {len(self.body)}\r\n\r\n"
            writer.write(head.encode() + self.body)
            await writer.drain()
        writer.close()


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    backend = Backend()
    await backend.up()
    yield backend
    await backend.down()


async def test_an_http_check_follows_its_server(
    api: httpx.AsyncClient, backend: Backend, status: Any, until: Until
) -> None:
    url = f"http://127.0.0.1:{backend.port}/health"
    probe = {"HTTP": url, "Interval": "1s", "Method": "POST", "Header": {"X-A": ["1", "2"]}, "Body": "ping"}
    await service(api, probe)
    assert await status("service:web", "passing") == f"HTTP POST {url}: 200 OK Output: hello"
    request = backend.requests[0].decode().lower()
    assert request.startswith("post /health http/1.1\r\n")
    assert "user-agent: consul health check\r\n" in request
    assert "x-a: 1\r\nx-a: 2\r\n" in request

    async def healthy() -> int:
        rows = (await api.get("/v1/health/service/web", params={"passing": "1"})).json()
        return len(rows)

    await until(healthy, lambda count: count == 1)
    backend.body = b"other words"  # which agent/checks shows at once
    await status("service:web", "passing", "other words")
    backend.answer = "503 Service Unavailable"
    assert "503" in await status("service:web", "critical")
    await until(healthy, lambda count: count == 0)
    backend.answer = "429 Too Many Requests"
    await check(api, Name="busy", HTTP=url, Interval="1h")
    assert "429" in await status("busy", "warning")


@pytest.mark.parametrize("kind", ["tcp", "http"])
async def test_a_server_that_comes_up_is_found_soon(
    api: httpx.AsyncClient, backend: Backend, status: Any, kind: str
) -> None:
    await backend.down()
    target = {
        "tcp": {"TCP": f"127.0.0.1:{backend.port}"},
        "http": {"HTTP": f"http://127.0.0.1:{backend.port}/"},
    }
    await check(api, Name="c", Interval="5s", **target[kind])
    refused = await status("c", "critical", "127.0.0.1")
    assert "refused" in refused.lower()
    await backend.up()
    told = await status("c", "passing")
    if kind == "tcp":
        assert told == f"TCP connect 127.0.0.1:{backend.port}: Success"


async def test_a_grpc_check_follows_the_health_service(api: httpx.AsyncClient, status: Any) -> None:
    serving = [b"\x08\x01"]

    async def answer(_: bytes, __: Any) -> bytes:
        return serving[0]

    handlers = {"Check": grpc.unary_unary_rpc_method_handler(answer)}
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("grpc.health.v1.Health", handlers),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        await check(api, Name="c", GRPC=f"127.0.0.1:{port}/web", Interval="1s")
        assert await status("c", "passing") == f"gRPC check 127.0.0.1:{port}/web: success"
        serving[0] = b"\x08\x02"
        assert "NOT_SERVING" in await status("c", "critical")
    finally:
        await server.stop(None)


async def test_thresholds_count_results_in_a_row(
    api: httpx.AsyncClient, backend: Backend, status: Any
) -> None:
    backend.answer = "500 Internal Server Error"
    limits = {"FailuresBeforeWarning": 1, "FailuresBeforeCritical": 3}
    await service(api, {"HTTP": f"http://127.0.0.1:{backend.port}/", "Interval": "1s", **limits})
    await status("service:web", "warning")
    asked = len(backend.requests)
    await status("service:web", "critical")
    assert len(backend.requests) - asked >= 1


async def test_an_alias_says_what_its_service_says(api: httpx.AsyncClient, status: Any) -> None:
    await check(api, Name="alias", AliasService="web")
    assert "web" in await status("alias", "critical", "not registered")
    await service(api)
    await status("alias", "passing")
    await check(api, Name="c", ServiceID="web", **TTL)
    await status("alias", "critical", 'Aliased check "c" failing')
    for word, health in (("warn", "warning"), ("pass", "passing")):
        await put(api, f"check/{word}/c")
        await status("alias", health)
    await check(api, Name="disk", **TTL)
    await status("alias", "critical", "disk")
    await put(api, "check/deregister/disk")
    await status("alias", "passing")
    await put(api, "service/deregister/web")
    await status("alias", "critical", "not registered")


async def test_a_sidecar_is_as_well_as_its_service(api: httpx.AsyncClient, status: Any) -> None:
    await service(api, TTL, Connect={"SidecarService": {}})
    await status("service:web-sidecar-proxy:2", "critical")
    await put(api, "check/pass/service:web")
    await status("service:web-sidecar-proxy:2", "passing")
    await put(api, "check/warn/service:web")
    await status("service:web-sidecar-proxy:2", "warning")


class Clock:
    """Seconds that can be set forward."""

    def __init__(self) -> None:
        self.later = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.later


@pytest.fixture
async def clock(parts: ServerParts) -> AsyncIterator[Clock]:
    """The clock of a reaper beside the server's own, which looks every few milliseconds."""
    clock = Clock()
    reaper = Reaper(NODE, parts.registrations.reap, clock, period=0.01)
    parts.feed.listen(reaper.take)
    task = asyncio.create_task(reaper.run())
    yield clock
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_who_is_critical_for_too_long_is_deregistered_with_his_sidecar(
    api: httpx.AsyncClient, until: Until, clock: Clock
) -> None:
    async def ids() -> set[str]:
        return set((await api.get("/v1/agent/services")).json())

    short = {**TTL, "DeregisterCriticalServiceAfter": "1s"}  # a minute is the least there is
    for name in ("web", "spared", "patient"):
        limit = "2h" if name == "patient" else "1s"
        await service(
            api,
            {**short, "DeregisterCriticalServiceAfter": limit},
            name=name,
            Connect={"SidecarService": {}},
        )
    await put(api, "check/warn/service:spared")
    clock.later = 59
    assert {"web", "web-sidecar-proxy"} <= await ids()
    clock.later = 3599
    left = {"spared", "spared-sidecar-proxy", "patient", "patient-sidecar-proxy"}
    assert await until(ids, lambda found: "web" not in found) == left
    assert not [each for each in await shown(api) if each.startswith("service:web")]
    await put(api, "check/fail/service:spared")  # its time begins only now
    assert await ids() == left
    clock.later += 61
    await until(ids, lambda found: found == {"patient", "patient-sidecar-proxy"})


async def test_a_check_that_nobody_makes_says_what_it_was_registered_with_last(
    api: httpx.AsyncClient,
) -> None:
    for word in ("passing", "critical", "warning"):
        await check(api, ID="disk", Name="disk", Status=word)
        assert await said(api, "disk") == (word, "")

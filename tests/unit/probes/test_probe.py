"""One probe of each kind, of real servers."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest
import uvloop
from google.protobuf.wrappers_pb2 import Int32Value, StringValue

from xdsmesh.model.checks import CheckStatus, CheckType, Health, Probe
from xdsmesh.model.duration import Duration
from xdsmesh.probes.probe import ask

SHORT = Duration.of(milliseconds=50)
NAME = "shop.example.com"
SERVING, NOT_SERVING = (Int32Value(value=value).SerializeToString() for value in (1, 2))


def reply(status: str, body: bytes = b"", *headers: str) -> Callable[[bytes], bytes]:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""])
    return lambda _: head.encode() + body


async def http(port: int, path: str = "/health", scheme: str = "http", **more: Any) -> CheckStatus:
    return await ask(CheckType.HTTP, Probe(f"{scheme}://127.0.0.1:{port}{path}", **more))


@pytest.mark.parametrize(
    ("status", "health"),
    [
        ("200 OK", Health.PASSING),
        ("204 No Content", Health.PASSING),
        ("429 Too Many Requests", Health.WARNING),
        ("304 Not Modified", Health.CRITICAL),
        ("503 Service Unavailable", Health.CRITICAL),
    ],
)
async def test_the_status_code_decides_an_http_check(servers: Any, status: str, health: Health) -> None:
    port = await servers.http(reply(status))

    url = f"http://127.0.0.1:{port}/health"
    assert await http(port) == CheckStatus(health, f"HTTP GET {url}: {status} Output: ")


async def test_an_http_check_says_what_it_is_told_to(servers: Any) -> None:
    heads = []

    def answer(head: bytes) -> bytes:
        heads.append(head.decode().lower().split("\r\n"))
        return reply("200 OK")(head)

    port = await servers.http(answer)
    await http(port)
    await http(
        port,
        method="POST",
        body="ping",
        header={"X-Tag": ("a", "b"), "User-Agent": ("me",), "Host": ("web.example.com",)},
    )

    plain, rich = heads
    assert plain[0] == "get /health http/1.1"
    assert {"user-agent: consul health check", "accept: text/plain, text/*, */*", "connection: close"} <= set(
        plain
    )
    assert rich[0] == "post /health http/1.1"
    assert {"x-tag: a", "x-tag: b", "user-agent: me", "host: web.example.com", "content-length: 4"} <= set(
        rich
    )
    assert len([line for line in rich if line.startswith("user-agent")]) == 1


async def test_the_output_has_the_beginning_of_the_body_and_no_more_is_read(servers: Any) -> None:
    port = await servers.http(
        lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 9000
    )

    result = await http(port, output_max_size=10)
    assert result.output.endswith("200 OK Output: " + "x" * 10)
    result = await http(port)
    assert result.output.endswith(" " + "x" * 4096)


async def test_redirects_are_followed_unless_disabled(servers: Any) -> None:
    def answer(head: bytes) -> bytes:
        if head.startswith(b"GET /health "):
            return reply("302 Found", b"", "Location: /there")(head)
        return reply("200 OK", b"here")(head)

    port = await servers.http(answer)

    assert (await http(port)).output.endswith("/health: 200 OK Output: here")
    assert (await http(port, disable_redirects=True)).status is Health.CRITICAL


async def test_redirects_without_an_end_are_critical(servers: Any) -> None:
    port = await servers.http(reply("307 Temporary Redirect", b"", "Location: /health"))

    result = await http(port)
    assert (result.status, result.output.partition("health: ")[2]) == (
        Health.CRITICAL,
        "more than 10 redirects",
    )


async def test_a_password_in_the_url_is_not_shown(servers: Any) -> None:
    port = await servers.http(reply("200 OK"))

    result = await ask(CheckType.HTTP, Probe(f"http://me:secret@127.0.0.1:{port}/"))
    assert result == CheckStatus(Health.PASSING, f"HTTP GET http://127.0.0.1:{port}/: 200 OK Output: ")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("127.0.0.1/health", "missing an 'http://' or 'https://' protocol"),
        ("ftp://127.0.0.1/", "unsupported protocol"),
        ("http://127.0.0.1:port/", "Invalid port"),
    ],
)
async def test_a_bad_url_is_critical_and_says_why(url: str, why: str) -> None:
    result = await ask(CheckType.HTTP, Probe(url))

    assert result.status is Health.CRITICAL
    assert why in result.output


async def test_what_is_no_http_is_critical(servers: Any) -> None:
    port = await servers.http(lambda _: b"220 mail.example.com ESMTP\r\n\r\n")

    result = await http(port)
    assert result.status is Health.CRITICAL
    assert "illegal status line" in result.output


async def probe(kind: CheckType, port: int, **more: Any) -> CheckStatus:
    target = f"http://127.0.0.1:{port}/" if kind is CheckType.HTTP else f"127.0.0.1:{port}"
    target = target.replace("http:", "https:") if more.get("use_tls") else target
    return await ask(kind, Probe(target, **more))


STREAMS = [CheckType.HTTP, CheckType.TCP, CheckType.GRPC, CheckType.H2PING]


async def start(servers: Any, kind: CheckType, *, tls: bool = False) -> int:
    """A server that passes a check of a kind."""
    match kind:
        case CheckType.HTTP:
            port = await servers.http(reply("200 OK"), tls=tls)
        case CheckType.TCP:
            port = await servers.tcp(tls=tls)
        case _:
            port = await servers.grpc(lambda _: SERVING, tls=tls)
    assert isinstance(port, int)
    return port


@pytest.mark.parametrize(
    ("kind", "output"),
    [
        (CheckType.TCP, "TCP connect 127.0.0.1:{}: Success"),
        (CheckType.GRPC, "gRPC check 127.0.0.1:{}: success"),
        (CheckType.H2PING, "H2PING 127.0.0.1:{}: Success"),
    ],
)
async def test_who_answers_passes(servers: Any, kind: CheckType, output: str) -> None:
    port = await start(servers, kind)

    assert await probe(kind, port) == CheckStatus(Health.PASSING, output.format(port))


@pytest.mark.parametrize("kind", [*STREAMS, CheckType.UDP])
async def test_a_refused_probe_is_critical(closed_port: int, kind: CheckType) -> None:
    result = await probe(kind, closed_port)

    assert result.status is Health.CRITICAL
    assert result.output.endswith(": Connection refused")


@pytest.mark.parametrize("kind", STREAMS)
async def test_over_tls_the_certificate_counts_unless_it_is_skipped(servers: Any, kind: CheckType) -> None:
    port = await start(servers, kind, tls=True)

    trusted = await probe(kind, port, use_tls=True, tls_server_name=NAME)
    skipped = await probe(kind, port, use_tls=True, tls_skip_verify=True)
    strange = await probe(kind, port, use_tls=True)
    assert (trusted.status, skipped.status) == (Health.PASSING, Health.PASSING)
    assert strange.status is Health.CRITICAL
    assert "the certificate is not trusted: IP address mismatch" in strange.output


@pytest.mark.parametrize("kind", STREAMS)
async def test_a_server_without_tls_is_critical_and_says_so(servers: Any, kind: CheckType) -> None:
    port = await servers.mail()
    result = await probe(kind, port, use_tls=True, tls_skip_verify=True)

    assert result.status is Health.CRITICAL
    assert "TLS failed: wrong version number" in result.output


@pytest.mark.parametrize("kind", [CheckType.HTTP, CheckType.GRPC, CheckType.H2PING])
async def test_who_says_nothing_is_critical_when_the_time_is_up(kind: CheckType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = await probe(kind, silent.getsockname()[1], timeout=SHORT)

    assert result.status is Health.CRITICAL
    assert result.output.endswith(": no answer within 50ms")


@pytest.mark.parametrize("kind", [CheckType.GRPC, CheckType.H2PING])
async def test_what_is_no_http2_is_critical(servers: Any, kind: CheckType) -> None:
    plain = await servers.mail()
    over_tls = await servers.http(reply("400 Bad Request"), tls=True)

    result = await probe(kind, plain)
    assert result.status is Health.CRITICAL
    assert "the server does not speak HTTP/2" in result.output
    result = await probe(kind, over_tls, use_tls=True, tls_skip_verify=True)
    assert result.output.endswith(": the server does not offer HTTP/2 (ALPN h2)")


@pytest.mark.parametrize("target", ["127.0.0.1", "127.0.0.1:http", "::1:80", "127.0.0.1:0", "a:70000", ""])
@pytest.mark.parametrize("kind", [CheckType.TCP, CheckType.UDP, CheckType.GRPC, CheckType.H2PING])
async def test_a_bad_address_is_critical_and_says_why(kind: CheckType, target: str) -> None:
    result = await ask(kind, Probe(target))

    assert result.status is Health.CRITICAL
    assert repr(target) in result.output


async def test_a_target_without_a_host_is_this_machine(servers: Any) -> None:
    port = await servers.tcp()

    assert (await ask(CheckType.TCP, Probe(f":{port}"))).status is Health.PASSING


async def test_a_grpc_check_asks_for_the_service_behind_the_slash(servers: Any) -> None:
    asked: list[bytes] = []

    def health(request: bytes) -> bytes:
        asked.append(request)
        return SERVING

    port = await servers.grpc(health)
    names = ["", "shop.Cart", "long." * 100]
    for name in names:
        await ask(CheckType.GRPC, Probe(f"127.0.0.1:{port}/{name}"))

    assert asked == [StringValue(value=name).SerializeToString() for name in names]


@pytest.mark.parametrize(
    ("answer", "status"), [(NOT_SERVING, "NOT_SERVING"), (b"", "UNKNOWN"), (b"\x08\x09", "9")]
)
async def test_a_grpc_server_that_does_not_serve_is_critical(
    servers: Any, answer: bytes, status: str
) -> None:
    port = await servers.grpc(lambda _: answer)

    assert await probe(CheckType.GRPC, port) == CheckStatus(
        Health.CRITICAL, f"gRPC check 127.0.0.1:{port}: the serving status is {status}"
    )


async def test_a_grpc_server_that_fails_is_critical_with_its_own_words(servers: Any) -> None:
    def health(_: bytes) -> bytes:
        raise ValueError("no such thing, 100%")

    port = await servers.grpc(health)
    result = await probe(CheckType.GRPC, port)
    assert result.status is Health.CRITICAL
    assert ": UNKNOWN: " in result.output
    assert "no such thing, 100%" in result.output


async def test_udp_passes_with_an_answer_and_without_one() -> None:
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.transport.sendto(data, addr)

    loop = asyncio.get_running_loop()
    echo, _ = await loop.create_datagram_endpoint(Echo, ("127.0.0.1", 0))
    mute, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))
    try:
        answered, silent = [
            await probe(CheckType.UDP, transport.get_extra_info("sockname")[1], timeout=timeout)
            for transport, timeout in ((echo, Duration()), (mute, SHORT))
        ]
    finally:
        echo.close()
        mute.close()

    assert (answered.status, answered.output.rpartition(" ")[2]) == (Health.PASSING, "Success")
    assert silent.status is Health.PASSING
    assert silent.output.endswith(": no answer within 50ms")


def test_probes_say_the_same_on_the_loop_that_the_server_runs_on(closed_port: int) -> None:
    async def results() -> list[CheckStatus]:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            open_port = server.sockets[0].getsockname()[1]
            return [
                await probe(CheckType.TCP, open_port),
                *[await probe(kind, closed_port) for kind in (*STREAMS, CheckType.UDP)],
            ]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        passing, *refused = runner.run(results())
    assert passing.status is Health.PASSING
    assert {result.status for result in refused} == {Health.CRITICAL}
    assert {result.output.rpartition(": ")[2] for result in refused} == {"Connection refused"}


async def test_what_is_kept_has_a_limit_whatever_a_server_or_a_target_says(servers: Any) -> None:
    port = await servers.http(reply(f"200 {'x' * 50_000}"))

    said = await http(port)
    assert said.status is Health.PASSING
    assert len(said.output) < 10_000
    said = await http(port, path=f"/{'x' * 20_000}")
    assert said.status is Health.PASSING
    assert "200 x" in said.output

"""By which names the server may be called: a page must not reach it under a name of its own."""

import asyncio

import httpx
import pytest


async def status(api: httpx.AsyncClient, host: str | None, version: str = "1.1") -> tuple[int, str]:
    """Ask for a private key under a name; the status, and all that comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.base_url.port)
    named = "" if host is None else f"Host: {host}\r\n"
    path = "/v1/agent/connect/ca/leaf/web"
    writer.write(f"GET {path} HTTP/{version}\r\n{named}Connection: close\r\n\r\n".encode())
    async with asyncio.timeout(10):
        answer = (await reader.read()).decode()
    writer.close()
    return int(answer.split()[1]), answer


OWN: list[str] = [
    "127.0.0.1",
    "127.0.0.1:8500",
    "127.9.9.9:1",
    "localhost",
    "LocalHost:8500",
    "[::1]",
    "[::1]:8500",
]


async def test_names_of_the_loopback_are_right(api: httpx.AsyncClient) -> None:
    for host in OWN:
        assert (await status(api, host))[0] == 200


FOREIGN: list[str] = [
    "evil.example",
    "evil.example:8500",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.example@127.0.0.1.example",
    "10.0.0.1",
    "0.0.0.0",
    "2130706433",
    "127.1",
    "[::]",
    "[::2]:8500",
    "[",
    "",
]


async def test_other_names_are_refused_with_a_reason(api: httpx.AsyncClient) -> None:
    for host in FOREIGN:
        code, answer = await status(api, host)
        assert code == 403
        assert "Permission denied" in answer
        assert "localhost" in answer
        assert "PRIVATE KEY" not in answer


async def test_only_clients_of_before_hosts_may_leave_it_out(api: httpx.AsyncClient) -> None:
    assert (await status(api, None, "1.0"))[0] == 200
    assert (await status(api, "evil.example", "1.0"))[0] == 403
    code, answer = await status(api, None)
    assert code in (400, 403)
    assert "PRIVATE KEY" not in answer


@pytest.mark.parametrize("method", ["PUT", "OPTIONS"])
async def test_other_methods_are_refused_too(api: httpx.AsyncClient, method: str) -> None:
    answer = await api.request(
        method, "/v1/agent/service/register", json={"Name": "web"}, headers={"Host": "evil.example"}
    )
    assert answer.status_code == 403
    assert (await api.get("/v1/agent/services")).json() == {}

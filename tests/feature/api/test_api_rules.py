"""What holds for every path."""

import asyncio
import json

import httpx
import pytest
from structlog.testing import capture_logs

from xdsmesh.store.memory import MemoryStore


async def send_raw(api: httpx.AsyncClient, request: bytes) -> tuple[int, str]:
    """Send bytes that no HTTP library would, and read the answer's status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.base_url.port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


async def test_json_is_compact_unless_pretty_is_asked_for(api: httpx.AsyncClient) -> None:
    await api.put("/v1/agent/service/register", json={"Name": "web"})
    compact = await api.get("/v1/catalog/services")
    assert compact.content == b'{"consul":[],"web":[]}'
    assert compact.headers["Content-Type"].startswith("application/json")
    nested = await api.get("/v1/agent/services?pretty")
    assert nested.text == json.dumps(nested.json(), indent=4) + "\n"
    assert (await api.get("/v1/status/leader")).text.startswith('"')


async def test_large_answers_are_packed_for_those_who_read_gzip(api: httpx.AsyncClient) -> None:
    for number in range(30):
        await api.put("/v1/config", json={"Kind": "service-defaults", "Name": f"web-{number}"})
    for path in ("/v1/config/service-defaults", "/v1/discovery-chain/web"):
        plain = await api.get(path, headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        packed = await api.get(path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
        is_large = len(plain.content) >= 1400
        assert packed.headers.get("Content-Encoding") == ("gzip" if is_large else None)
        assert packed.content == plain.content
        assert ("Accept-Encoding" in packed.headers.get("Vary", "")) == is_large
        refused = await api.get(path, headers={"Accept-Encoding": "gzip;q=0"})
        assert "Content-Encoding" not in refused.headers


async def test_every_reply_names_the_policy_of_acls(api: httpx.AsyncClient) -> None:
    for path in ("agent/self", "nothing", "config/service-defaults/web", "catalog/services?dc=x"):
        assert (await api.get(f"/v1/{path}")).headers["X-Consul-Default-ACL-Policy"] == "allow"


async def test_reads_name_their_consistency(api: httpx.AsyncClient) -> None:
    words = {"x": "leader", "stale": "stale", "consistent=1": "consistent", "max_stale=1s": "stale"}
    for flag, word in words.items():
        headers = (await api.get(f"/v1/config/service-defaults/web?{flag}")).headers
        assert headers["X-Consul-Effective-Consistency"] == word
        assert headers["X-Consul-Query-Backend"] == "blocking-query"
    assert (await api.get("/v1/catalog/services?cached")).headers["X-Cache"] == "MISS"


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/config", {"PUT"}),
        ("/v1/config/service-defaults/web", {"GET", "DELETE"}),
        ("/v1/discovery-chain/web", {"GET", "POST"}),
        ("/v1/agent/self", {"GET"}),
    ],
)
async def test_options_are_the_methods(api: httpx.AsyncClient, path: str, methods: set[str]) -> None:
    answer = await api.options(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert set(answer.headers["Allow"].split(", ")) == {"OPTIONS", *methods}


async def test_an_unknown_path_is_named(api: httpx.AsyncClient) -> None:
    for path in ("/v1/agent/nothing", "/v1", "/v2/agent/self", "/v1/agent/service/"):
        answer = await api.get(path)
        assert answer.status_code == 404
        assert answer.text.startswith(f"Invalid URL path: {path} ")


async def test_the_server_says_where_its_api_is(api: httpx.AsyncClient) -> None:
    answer = await api.get("/")
    assert answer.status_code == 200
    assert "/v1" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v1/agent/service/register", "PUT"),
        ("DELETE", "/v1/agent/service/deregister/web", "PUT"),
        ("PUT", "/v1/catalog/service/web", "GET"),
        ("HEAD", "/v1/agent/self", "GET"),
        ("PATCH", "/v1/agent/self", "GET"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    api: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await api.request(method, path)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {allowed, "OPTIONS"}
    assert method == "HEAD" or method in answer.text


@pytest.mark.parametrize(
    "path", ["/v1/agent/service/a%00b", "/v1/agent/service/%0aweb", "/v1/catalog/service/%ff", "/%07"]
)
async def test_unprintable_paths_are_refused(api: httpx.AsyncClient, path: str) -> None:
    status, text = await send_raw(
        api, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    )
    assert status == 400
    assert text.isprintable()


async def test_the_fixed_part_of_a_path_is_taken_literally(api: httpx.AsyncClient) -> None:
    await api.put("/v1/agent/service/register", json={"ID": "deregister/web", "Name": "web"})
    status, _ = await send_raw(
        api, b"PUT /v1//agent/service/deregister/web HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    assert status == 404
    assert "deregister/web" in (await api.get("/v1/agent/services")).json()


async def test_a_large_body_is_refused(api: httpx.AsyncClient) -> None:
    body = {"Kind": "service-defaults", "Name": "web", "Meta": {"note": "x" * 1_100_000}}
    answer = await api.put("/v1/config", json=body)
    assert answer.status_code == 413
    assert "1048576" in answer.text


async def test_pages_of_other_sites_are_refused(api: httpx.AsyncClient) -> None:
    async def put(origin: str, host: str) -> int:
        headers = {"Origin": origin, "Host": host}
        return (
            await api.put("/v1/agent/service/register", json={"Name": "web"}, headers=headers)
        ).status_code

    port = api.base_url.port
    for origin in (
        "http://evil.example",
        f"http://127.0.0.1.evil.example:{port}",
        f"https://127.0.0.1:{port}",
        "http://127.0.0.1:1",
        "http://127.0.0.1",
        "http://[",
        "null",
        "",
    ):
        assert await put(origin, f"127.0.0.1:{port}") == 403
    # A page whose name resolves to the server's address is another site all the same.
    assert await put(f"http://evil.example:{port}", f"evil.example:{port}") == 403
    assert (await api.get("/v1/agent/services")).json() == {}

    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        assert await put(f"http://{host}", host) == 200


@pytest.mark.parametrize("header", ["X-Consul-Namespace", "X-Consul-Partition"])
async def test_tenancy_headers_are_refused_unless_default(api: httpx.AsyncClient, header: str) -> None:
    assert (await api.get("/v1/agent/services", headers={header: "default"})).status_code == 200
    assert (await api.get("/v1/agent/services", headers={header: "team"})).status_code == 400


async def test_an_internal_fault_is_told_by_an_id_that_the_log_explains(
    api: httpx.AsyncClient, store: MemoryStore
) -> None:
    await store.close()
    with capture_logs() as logs:
        answer = await api.put("/v1/agent/service/register", json={"Name": "web"})
    assert answer.status_code == 500
    assert "closed" not in answer.text
    assert "Traceback" not in answer.text
    (event,) = logs
    assert event["log_level"] == "error"
    assert event["fault"] in answer.text
    assert "the store is closed" in str(event["exc_info"])

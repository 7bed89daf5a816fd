"""A stream proves who it is: real servers, scripted streams, and tokens that come and go."""

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from xdsmesh.model.resource import CLUSTER, SECRET

Start = Callable[..., Any]
Connect = Callable[..., Any]
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED
DENIED = grpc.StatusCode.PERMISSION_DENIED
LEAF = "/v1/agent/connect/ca/leaf"


def register(server: Any, service: str, own_id: str = "") -> None:
    body = {"ID": own_id or f"{service}-1", "Name": service, "Port": 80, "Connect": {"SidecarService": {}}}
    server.http.put("/v1/agent/service/register", json=body).raise_for_status()


def make(server: Any, **body: Any) -> tuple[str, str]:
    """The secret and the accessor of a new token."""
    answer = server.http.post("/v1/xdsmesh/tokens", json=body or {"Service": "web"})
    assert answer.status_code == 200, answer.text
    made = answer.json()
    return made["SecretID"], made["AccessorID"]


def end(connect: Connect, server: Any, proxy_id: str, *tokens: str) -> tuple[grpc.StatusCode, str]:
    """How a stream ends that is not served."""
    client = connect(server, proxy_id, *tokens)
    client.ask(CLUSTER)
    status: tuple[grpc.StatusCode, str] = client.ended()
    return status


def served(connect: Connect, server: Any, proxy_id: str, *tokens: str) -> Any:
    """A stream that has got its clusters."""
    client = connect(server, proxy_id, *tokens)
    client.ask(CLUSTER)
    client.receive(CLUSTER)
    return client


def token_command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xdsmesh", "token", *arguments]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("XDSMESH_")}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=False, env={**kept, **variables}
    )


def test_once_there_is_a_token_a_stream_gets_its_own_proxies_and_nothing_else(
    start: Start, connect: Connect
) -> None:
    server = start("--dev")
    register(server, "web")
    register(server, "admin")
    served(connect, server, "web-1-sidecar-proxy", "any-token-is-ignored").close()
    secret, _ = make(server, Service="web")

    served(connect, server, "web-1-sidecar-proxy", secret)
    code, why = end(connect, server, "admin-1-sidecar-proxy", secret)
    assert code is DENIED
    assert "the token is for the service web" in why
    code, why = end(connect, server, "nobody", secret)
    assert code is grpc.StatusCode.NOT_FOUND

    for tokens in ((), ("",), ("-",)):
        code, why = end(connect, server, "web-1-sidecar-proxy", *tokens)
        assert code is UNAUTHENTICATED
        assert "xdsmesh token create --service NAME" in why
        assert "--token-file" in why
        assert "XDSMESH_TOKEN" in why
        assert end(connect, server, "nobody", *tokens) == (code, why), "ids can't be told apart"
    code, why = end(connect, server, "web-1-sidecar-proxy", "wrong")
    assert code is UNAUTHENTICATED
    assert "not known" in why
    assert end(connect, server, "nobody", "wrong") == (code, why)

    refused = server.http.get("/v1/xdsmesh/proxies").json()["refused"]
    assert {each["proxy"] for each in refused} == {"web-1-sidecar-proxy", "admin-1-sidecar-proxy", "nobody"}
    assert secret not in server.http.get("/v1/xdsmesh/proxies").text
    assert secret not in server.output()
    assert "wrong" not in server.output()


def test_an_operators_or_a_gateways_token_is_not_a_services(start: Start, connect: Connect) -> None:
    server = start("--dev")
    register(server, "web")
    for body, said in (
        ({"Operator": True}, "an operator's token is no identity"),
        ({"Gateway": "mesh", "Name": "web"}, "the token is for the mesh gateway web"),
    ):
        secret, _ = make(server, **body)
        code, why = end(connect, server, "web-1-sidecar-proxy", secret)
        assert code is DENIED
        assert said in why


def test_streams_end_with_their_token_and_with_their_identity(start: Start, connect: Connect) -> None:
    server = start("--dev")
    register(server, "web")
    other, _ = make(server, Service="web")
    secret, accessor = make(server, Service="web")
    client = served(connect, server, "web-1-sidecar-proxy", secret)
    stays = served(connect, server, "web-1-sidecar-proxy", other)
    server.http.delete(f"/v1/xdsmesh/tokens/{accessor}").raise_for_status()
    code, _ = client.ended()
    assert code is UNAUTHENTICATED
    assert end(connect, server, "web-1-sidecar-proxy", secret)[0] is UNAUTHENTICATED

    register(server, "shop", "web-1")
    assert stays.ended()[0] is grpc.StatusCode.NOT_FOUND
    code, why = end(connect, server, "web-1-sidecar-proxy", other)
    assert code is DENIED
    assert "the service shop" in why


def test_streams_of_before_the_first_token_go_on_and_are_counted(start: Start, connect: Connect) -> None:
    server = start("--dev")
    register(server, "web")
    client = served(connect, server, "web-1-sidecar-proxy")
    make(server, Service="web")
    (warning,) = (
        event
        for line in ("the first token was created: streams that are open without one go on until they end",)
        for event in server.events(f"{line}, and new ones need one")
    )
    assert (warning["level"], warning["streams_without_token"]) == ("warning", 1)
    client.ask(SECRET, "leaf")
    assert client.receive(SECRET).resources
    assert end(connect, server, "web-1-sidecar-proxy")[0] is UNAUTHENTICATED


def test_tokens_hold_over_a_restart_and_may_be_made_before_the_first_start(
    start: Start, connect: Connect, tmp_path: Path
) -> None:
    data = str(tmp_path / "data")
    made = token_command("create", "--service", "web", "--data-dir", data)
    assert made.returncode == 0, made.stderr
    (secret,) = made.stdout.splitlines()
    assert secret not in made.stderr
    first = start("--data-dir", data)
    register(first, "web")
    served(connect, first, "web-1-sidecar-proxy", secret)
    assert not first.events("no authentication is configured: HTTP and xDS are bound to loopback only")
    running = token_command("create", "--operator", "--data-dir", data)
    assert running.returncode == 1
    assert "in use" in running.stderr or "another" in running.stderr
    first.process.kill()
    first.process.wait(20)

    second = start("--data-dir", data)
    served(connect, second, "web-1-sidecar-proxy", secret)
    assert end(connect, second, "web-1-sidecar-proxy")[0] is UNAUTHENTICATED
    assert not any(secret.encode() in file.read_bytes() for file in (tmp_path / "data").iterdir())


def test_without_a_token_no_address_beyond_loopback_is_bound(start: Start, tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    flags = ("--data-dir", data, "--http-addr", "0.0.0.0:0", "--xds-addr", "[::]:0")
    refused = start(*flags, ready=False)
    assert refused.process.wait(20) == 1
    for said in ("--http-addr: ", "--xds-addr: ", f"xdsmesh token create --operator --data-dir {data}"):
        assert said in refused.output()
    assert "Traceback" not in refused.output()


def own_address() -> str:
    """An address of this machine that is not its loopback's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no address but the loopback's")
        address: str = probe.getsockname()[0]
        return address


def test_beyond_loopback_every_request_and_stream_needs_a_token(
    start: Start, connect: Connect, tmp_path: Path
) -> None:
    data, host = str(tmp_path / "data"), own_address()
    operator = token_command("create", "--operator", "--data-dir", data).stdout.strip()
    server = start("--data-dir", data, "--http-addr", "0.0.0.0:0", "--xds-addr", "0.0.0.0:0")
    local = server.http.base_url
    server.http.base_url = f"http://127.0.0.1:{local.port}"
    register(server, "web")
    assert server.http.get("/v1/agent/services").status_code == 200
    warned = "tokens and private keys cross the network in the clear"
    assert sum(warned in line for line in server.output().splitlines()) == 2

    server.http.base_url = f"http://{host}:{local.port}"
    for method, path in (
        ("GET", "/v1/agent/services"),
        ("GET", "/v1/openapi.json"),
        ("GET", "/v1/agent/metrics"),
        ("GET", "/v1/status/leader"),
        ("GET", "/"),
        ("PUT", "/v1/config"),
        ("GET", f"{LEAF}/web"),
        ("GET", "/v1/kv/x"),
    ):
        answer = server.http.request(method, path)
        assert answer.status_code == 403, path
        assert "requests from other machines need a token" in answer.text
    headers = {"X-Consul-Token": operator}
    assert server.http.get("/v1/agent/services", headers=headers).status_code == 200
    server.http.headers.update(headers)
    register(server, "admin")
    (shown,) = server.http.get("/v1/xdsmesh/tokens").json()
    kept = server.http.delete(f"/v1/xdsmesh/tokens/{shown['AccessorID']}")
    assert kept.status_code == 409
    assert "is the last one" in kept.text
    secret, _ = make(server, Service="web")
    assert end(connect, server, "web-1-sidecar-proxy")[0] is UNAUTHENTICATED
    served(connect, server, "web-1-sidecar-proxy", secret)
    for each in (operator, secret):
        assert each not in server.output()


def test_an_ipv6_wildcard_knows_its_own_machine_also_by_ipv4(start: Start, tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    token_command("create", "--operator", "--data-dir", data)
    server = start("--data-dir", data, "--http-addr", "[::]:0")
    server.http.base_url = f"http://127.0.0.1:{server.http.base_url.port}"
    assert server.http.get("/v1/agent/services").status_code == 200
    foreign = server.http.get("/v1/agent/services", headers={"Host": "evil.example"})
    assert foreign.status_code == 403
    assert "is not this machine's loopback" in foreign.text


def test_the_command_makes_lists_and_deletes_tokens(start: Start, tmp_path: Path) -> None:
    server = start("--dev")
    address = {"XDSMESH_HTTP_ADDR": str(server.http.base_url)}
    file = tmp_path / "web.token"
    file.write_text("the one before\n")
    made = token_command(
        "create", "--service", "web", "--description", "of the shop", "--out", str(file), **address
    )
    assert (made.returncode, made.stdout) == (0, ""), made.stderr
    secret = file.read_text()
    assert secret == secret.strip(), "the header of an Envoy before 1.40 would have the end of the line"
    assert secret not in made.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.glob("*token*")] == ["web.token"]

    listed = token_command("list", **address)
    assert secret not in listed.stdout
    (accessor,) = (line.split()[0] for line in listed.stdout.splitlines() if "of the shop" in line)
    key = server.http.get(f"{LEAF}/web", headers={"Authorization": f"Bearer {secret}"})
    assert key.status_code == 200
    assert token_command("delete", accessor, **address).returncode == 0
    again = token_command("delete", accessor, **address)
    assert (again.returncode, again.stderr) == (
        1,
        f'no token has the accessor "{accessor}" (`xdsmesh token list` shows those there are)\n',
    )
    nowhere = token_command("create", "--service", "web", "--out", str(tmp_path / "no" / "file"), **address)
    assert nowhere.returncode == 1
    assert server.http.get("/v1/xdsmesh/tokens").json() == [], "no token that nobody has"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ((), "give one of Service, Gateway and Operator"),
        (("--service", "web", "--operator"), "Service and Operator exclude each other"),
        (("--gateway", "egress", "--name", "x"), 'Gateway can\'t be "egress"'),
        (("--gateway", "mesh"), "Name is required"),
        (("--service", "a b"), "is not a service name"),
        (("--service", "*"), 'not "*"'),
    ],
)
def test_a_token_for_nobody_is_refused_before_anybody_is_asked(flags: tuple[str, ...], said: str) -> None:
    refused = token_command("create", *flags, XDSMESH_HTTP_ADDR="127.0.0.1:1")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert said in refused.stderr

"""xDS and the HTTP API over TLS: real servers, the names in their certificate, and its renewal."""

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from cryptography import x509

from xdsmesh.model.resource import CLUSTER

Start = Callable[..., Any]
Connect = Callable[..., Any]
NAME = "server.dc1.consul"
PROXY = "web-1-sidecar-proxy"
TLS = ("--https-addr", "127.0.0.1:0", "--xds-tls-addr", "127.0.0.1:0")
EVENTS = {"xds": "serving xDS over TLS", "https": "serving HTTPS"}


def address(server: Any, listener: str) -> str:
    found: str = server.events(EVENTS[listener])[0]["address"]
    return found


def roots(server: Any) -> str:
    pem: str = server.http.get("/v1/connect/ca/roots?pem=true").text
    return pem


def shown(server: Any, listener: str, name: str = NAME, trusted: str = "") -> x509.Certificate:
    """The certificate that a new connection is shown, once it is believed under a name."""
    context = ssl.create_default_context(cadata=trusted or roots(server))
    context.set_alpn_protocols(["h2", "http/1.1"])
    host, _, port = address(server, listener).rpartition(":")
    with (
        socket.create_connection((host, int(port)), 10) as plain,
        context.wrap_socket(plain, server_hostname=name) as secured,
    ):
        der = secured.getpeercert(binary_form=True)
    assert der
    return x509.load_der_x509_certificate(der)


def register(server: Any, service: str = "web") -> None:
    body = {"ID": f"{service}-1", "Name": service, "Port": 80, "Connect": {"SidecarService": {}}}
    server.http.put("/v1/agent/service/register", json=body).raise_for_status()


def token(server: Any) -> str:
    made: str = server.http.post("/v1/xdsmesh/tokens", json={"Service": "web"}).json()["SecretID"]
    return made


def channel(server: Any, trusted: str) -> Any:
    credentials = grpc.ssl_channel_credentials(trusted.encode())
    options = (("grpc.ssl_target_name_override", NAME),)
    return grpc.secure_channel(address(server, "xds"), credentials, options)


def command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("XDSMESH_")}
    line = [sys.executable, "-m", "xdsmesh", *arguments]
    return subprocess.run(
        line, capture_output=True, text=True, timeout=30, check=False, env={**kept, **variables}
    )


@pytest.fixture
def server(start: Start) -> Any:
    server = start("--dev", *TLS)
    register(server)
    return server


@pytest.fixture
def ca_file(server: Any, tmp_path: Path) -> str:
    file = tmp_path / "roots.pem"
    file.write_text(roots(server))
    return str(file)


@pytest.mark.parametrize("listener", ["xds", "https"])
def test_a_listener_proves_itself_by_its_names_and_by_no_others(server: Any, listener: str) -> None:
    certificate = shown(server, listener)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    domain = server.http.get("/v1/connect/ca/roots").json()["TrustDomain"]
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [
        f"spiffe://{domain}/agent/server/dc/dc1"
    ]
    for name in (NAME, "localhost", "127.0.0.1"):
        assert shown(server, listener, name) == certificate
    with pytest.raises(ssl.SSLCertVerificationError):
        shown(server, listener, "server.dc2.consul")


@pytest.mark.parametrize("listener", ["xds", "https"])
def test_who_trusts_another_mesh_refuses_the_server(start: Start, server: Any, listener: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shown(server, listener, trusted=roots(start("--dev")))


def test_a_stream_over_tls_is_as_one_in_the_clear_tokens_included(server: Any, connect: Connect) -> None:
    secret = token(server)
    client = connect(server, PROXY, secret, channel=channel(server, roots(server)))
    client.ask(CLUSTER)
    assert client.receive(CLUSTER).resources
    refused = connect(server, PROXY, channel=channel(server, roots(server)))
    refused.ask(CLUSTER)
    assert refused.ended()[0] is grpc.StatusCode.UNAUTHENTICATED


def test_a_client_in_the_clear_gets_nothing_from_a_listener_with_tls(server: Any) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://{address(server, 'https')}/v1/agent/self", timeout=10, trust_env=False)
    assert httpx.get(f"{server.http.base_url}/v1/agent/self", trust_env=False).status_code == 200


def test_a_server_can_be_without_anything_in_the_clear(
    start: Start, connect: Connect, tmp_path: Path
) -> None:
    first = start("--data-dir", str(tmp_path / "data"), *TLS)
    register(first)
    trusted = roots(first)
    first.stop()
    flags = ("--data-dir", str(tmp_path / "data"), *TLS, "--http-addr", "off", "--xds-addr", "off")
    server = start(*flags, ready=False)
    server.wait(lambda: server.events("ready"), "it is ready")
    client = connect(server, PROXY, channel=channel(server, trusted))
    client.ask(CLUSTER)
    assert client.receive(CLUSTER)
    context = ssl.create_default_context(cadata=trusted)
    url = f"https://{address(server, 'https')}/v1/agent/self"
    ports = httpx.get(url, verify=context, trust_env=False).json()["xDS"]["Ports"]
    assert ports == {"Plaintext": -1, "TLS": int(address(server, "xds").rpartition(":")[2])}


def test_another_intermediate_renews_the_certificate_and_closes_nothing(
    server: Any, connect: Connect
) -> None:
    context = ssl.create_default_context(cadata=roots(server))
    client = connect(server, PROXY, channel=channel(server, roots(server)))
    client.ask(CLUSTER)
    client.receive(CLUSTER)
    before = {listener: shown(server, listener) for listener in EVENTS}
    with httpx.Client(
        base_url=f"https://{address(server, 'https')}", verify=context, trust_env=False
    ) as http:
        http.get("/v1/agent/self").raise_for_status()
        (open_before,) = http._transport._pool.connections  # type: ignore[attr-defined]
        body = {"Provider": "consul", "Config": {"IntermediateCertTTL": "700h", "LeafCertTTL": "2h"}}
        http.put("/v1/connect/ca/configuration", json=body).raise_for_status()
        for listener in EVENTS:
            server.wait(lambda each=listener: shown(server, each) != before[each], f"{listener} is renewed")
        http.get("/v1/agent/self").raise_for_status()
        (open_after,) = http._transport._pool.connections  # type: ignore[attr-defined]
    assert open_after is open_before
    renewed = shown(server, "https")
    assert renewed == shown(server, "xds")
    assert renewed.not_valid_after_utc < before["https"].not_valid_after_utc
    upstream = {"DestinationName": "db", "LocalBindPort": 9100}
    sidecar = {"Proxy": {"Upstreams": [upstream]}}
    web = {"ID": "web-1", "Name": "web", "Port": 80, "Connect": {"SidecarService": sidecar}}
    server.http.put("/v1/agent/service/register", json=web).raise_for_status()
    assert client.receive(CLUSTER).resources, "the stream of before goes on"


COMMANDS = (
    ("services", "list"),
    ("catalog", "services"),
    ("members",),
    ("config", "list", "--kind", "service-router"),
    ("ca", "roots"),
    ("ca", "leaf", "web"),
    ("intention", "check", "web", "db"),
    ("maint",),
    ("chain", "web"),
    ("token", "list"),
    ("envoy", "--sidecar-for", "web-1", "--bootstrap"),
)


def test_commands_answer_over_tls_as_in_the_clear(server: Any, ca_file: str) -> None:
    addresses = (str(server.http.base_url), f"https://{address(server, 'https')}")
    for arguments in COMMANDS:
        plain, secured = (
            command(*arguments, XDSMESH_HTTP_ADDR=each, XDSMESH_CACERT=ca_file) for each in addresses
        )
        assert plain.returncode == 0, plain.stderr
        assert (secured.returncode, secured.stdout) == (0, plain.stdout), secured.stderr


def test_a_command_that_trusts_nobody_says_what_to_give(server: Any) -> None:
    answer = command("services", "list", "--http-addr", f"https://{address(server, 'https')}")
    assert answer.returncode == 1
    assert "can't be trusted" in answer.stderr
    assert "--ca-cert" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_bootstrap_for_tls_names_the_server_and_the_roots(server: Any, ca_file: str) -> None:
    here = str(server.http.base_url)
    inline = command("envoy", "--sidecar-for", "web-1", "--bootstrap", "--http-addr", here)
    assert f'"exact": "{NAME}"' in inline.stdout
    assert f'"sni": "{NAME}"' in inline.stdout
    assert "BEGIN CERTIFICATE" in inline.stdout
    by_file = command(
        "envoy", "--sidecar-for", "web-1", "--bootstrap", "--http-addr", here, "--ca-cert", ca_file
    )
    assert f'"filename": "{ca_file}"' in by_file.stdout
    plain = command(
        "envoy", "--sidecar-for", "web-1", "--bootstrap", "--http-addr", here, "--xds-addr", server.xds
    )
    assert "transport_socket" not in plain.stdout


def test_a_taken_port_is_said_with_its_flag(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        held = f"127.0.0.1:{taken.getsockname()[1]}"
        for flag in ("--https-addr", "--xds-tls-addr"):
            server = start("--dev", flag, held, ready=False)
            assert server.process.wait(20) == 1
            assert held in server.output()
            assert flag in server.output()


def test_addresses_with_tls_are_reached_by_others_without_a_warning(start: Start, tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    made = command("token", "create", "--operator", "--data-dir", data)
    assert made.returncode == 0, made.stderr
    server = start("--data-dir", data, "--https-addr", "0.0.0.0:0", "--xds-tls-addr", "0.0.0.0:0")
    assert "tokens are needed" in server.output()
    assert "in the clear" not in server.output()


def test_a_server_on_all_addresses_is_believed_under_the_one_that_it_advertises(
    start: Start, tmp_path: Path
) -> None:
    data, anywhere, known_as = str(tmp_path / "data"), "0.0.0.0:0", "198.51.100.7"
    assert command("token", "create", "--operator", "--data-dir", data).returncode == 0
    flags = ("--https-addr", anywhere, "--xds-tls-addr", anywhere, "--advertise-addr", known_as)
    server = start("--data-dir", data, *flags)
    for listener in EVENTS:
        shown(server, listener, known_as)
        with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
            shown(server, listener, "198.51.100.8")

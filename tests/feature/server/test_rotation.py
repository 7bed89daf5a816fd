"""A rotation of the root survives kill -9 of the server in each stage, and the command that began it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import grpc
import pytest
from cryptography import x509
from envoy.extensions.transport_sockets.tls.v3.secret_pb2 import Secret
from envoy.service.discovery.v3.ads_pb2_grpc import AggregatedDiscoveryServiceStub
from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest, DeltaDiscoveryResponse

from xdsmesh.model.resource import SECRET

STATUS = "/v1/xdsmesh/ca/status"
SERVICES = ("web", "db")


class Sidecar:
    """Asks for its secrets, and acknowledges them but for responses with what it is deaf to."""

    def __init__(self, address: str, proxy_id: str) -> None:
        self.held: dict[str, Secret] = {}
        self.deaf_to = ""
        self._proxy_id = proxy_id
        self._unanswered: list[DeltaDiscoveryResponse] = []
        self._news: SimpleQueue[DeltaDiscoveryRequest | None] = SimpleQueue()
        self._channel = grpc.insecure_channel(address)
        stub = AggregatedDiscoveryServiceStub(self._channel)
        self._responses = stub.DeltaAggregatedResources(iter(self._news.get, None))
        self._send(resource_names_subscribe=["leaf", "roots"])
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            for response in self._responses:
                self._unanswered.append(response)
                self._answer()
        except grpc.RpcError:
            return

    def _answer(self) -> None:
        while self._unanswered:
            response = self._unanswered[0]
            if any(resource.name == self.deaf_to for resource in response.resources):
                return
            for resource in response.resources:
                secret = Secret()
                resource.resource.Unpack(secret)
                self.held[secret.name] = secret
            self._send(response_nonce=response.nonce)
            self._unanswered.pop(0)

    def listen(self, deaf_to: str) -> None:
        """Be deaf to something else, and answer the rest."""
        self.deaf_to = deaf_to
        self._answer()

    def _send(self, **fields: Any) -> None:
        request = DeltaDiscoveryRequest(type_url=SECRET, **fields)
        request.node.id = self._proxy_id
        self._news.put(request)

    @property
    def has_secrets(self) -> bool:
        return self.held.keys() == {"leaf", "roots"}

    def close(self) -> None:
        self._news.put(None)
        self._channel.close()
        self._thread.join(10)


@pytest.fixture
def sidecar() -> Iterator[Callable[[Any, str], Sidecar]]:
    sidecars: list[Sidecar] = []

    def connect(server: Any, service: str) -> Sidecar:
        sidecars.append(Sidecar(server.xds, f"{service}-1-sidecar-proxy"))
        return sidecars[-1]

    yield connect
    for each in sidecars:
        each.close()


def at(server: Any, stage: str, *waiting: str) -> dict[str, Any]:
    """How the rotation stands once it is in a stage and waits for the sidecars of these services."""
    shown: dict[str, Any] = {}
    names = {f"{service}-1-sidecar-proxy" for service in waiting}

    def there() -> bool:
        shown.update(server.http.get(STATUS).json())
        waited = {each["proxy"] for each in shown["waiting"]}
        return shown["rotation"] is not None and (shown["rotation"]["stage"], waited) == (stage, names)

    server.wait(there, f"the rotation is {stage}, and waits for {sorted(names)}")
    return shown


@pytest.mark.parametrize("stage", ["trusting", "issuing", "retiring"])
def test_it_goes_on_where_it_was_when_all_have_come_back(
    start: Callable[..., Any], sidecar: Callable[[Any, str], Sidecar], tmp_path: Path, stage: str
) -> None:
    data = ("--data-dir", str(tmp_path / "data"))
    first = start(*data)
    for service in SERVICES:
        body = {"ID": f"{service}-1", "Name": service, "Port": 80, "Connect": {"SidecarService": {}}}
        first.http.put("/v1/agent/service/register", json=body).raise_for_status()
    web, db = (sidecar(first, service) for service in SERVICES)
    first.wait(lambda: web.has_secrets and db.has_secrets, "the sidecars have their secrets")

    db.listen("roots" if stage == "trusting" else "leaf")
    first.http.put("/v1/xdsmesh/ca/rotate").raise_for_status()
    if stage == "retiring":
        at(first, "issuing", "db")
        db.listen("roots")
    before = at(first, stage, "db")
    first.process.kill()
    first.process.wait(20)

    second = start(*data)
    after = at(second, stage, "web", "db")
    assert after["roots"] == before["roots"]
    for name in ("old_root", "new_root", "began", "by"):
        assert after["rotation"][name] == before["rotation"][name]
    assert {each["why"] for each in after["waiting"]} == {"has not come back since the server was started"}
    assert second.http.put("/v1/xdsmesh/ca/rotate").status_code == 409
    assert second.events("a rotation of the root goes on")[0]["stage"] == stage

    web = sidecar(second, "web")
    at(second, stage, "db")
    db = sidecar(second, "db")
    done = at(second, "done")
    assert [root["id"] for root in done["roots"]] == [before["rotation"]["new_root"]]
    for each in (web, db):
        second.wait(lambda each=each: roots(each) == [root(second)], "the new root alone is trusted")
        chain = each.held["leaf"].tls_certificate.certificate_chain.inline_string
        _, intermediate, *_ = x509.load_pem_x509_certificates(chain.encode())
        intermediate.verify_directly_issued_by(root(second))


def roots(sidecar: Sidecar) -> list[x509.Certificate]:
    pem = sidecar.held["roots"].validation_context.trusted_ca.inline_string if sidecar.has_secrets else ""
    return x509.load_pem_x509_certificates(pem.encode()) if pem else []


def root(server: Any) -> x509.Certificate:
    (shown,) = server.http.get("/v1/connect/ca/roots").json()["Roots"]
    return x509.load_pem_x509_certificate(shown["RootCert"].encode())


def interrupted(process: subprocess.Popen[str]) -> str:
    """What a command says that is interrupted as a person does it: once more if nothing happens."""
    for patience in (15, 15, 30):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=patience)[1]
    raise AssertionError("it was interrupted in vain")


def test_the_command_tells_who_is_waited_for_and_may_leave(
    start: Callable[..., Any], sidecar: Callable[[Any, str], Sidecar]
) -> None:
    server = start("--dev")
    for service in (*SERVICES, "idle"):
        body = {"ID": f"{service}-1", "Name": service, "Port": 80, "Connect": {"SidecarService": {}}}
        server.http.put("/v1/agent/service/register", json=body).raise_for_status()
    web, db = (sidecar(server, service) for service in SERVICES)
    server.wait(lambda: web.has_secrets and db.has_secrets, "the sidecars have their secrets")
    db.listen("leaf")
    with command(server, "rotate") as rotating:
        assert rotating.stdout
        lines = iter(rotating.stdout)
        assert next(lines).startswith("trusting:  every connected proxy trusts both roots (")
        assert next(lines).startswith("db-1-sidecar-proxy: has not answered SDS, sent at ")
        web.close()
        assert next(lines) == "web-1-sidecar-proxy: has just disconnected\n"
        said = interrupted(rotating)
        assert rotating.returncode == 130
    assert "Warning: not connected, and so not told of the new root: idle-1-sidecar-proxy. " in said
    assert "The rotation goes on in the server" in said

    with command(server, "rotate") as refused:
        _, said = refused.communicate(timeout=20)
        assert refused.returncode == 1
    assert "a rotation of the root is under way since" in said
    with command(server, "status") as status:
        shown, _ = status.communicate(timeout=20)
    for told in (
        "issuing:   the proxies get leaves below the new root (since ",
        "It waits for:\n  db-1-sidecar-proxy: has not answered SDS, sent at ",
        "Registered, but not connected: idle-1-sidecar-proxy, web-1-sidecar-proxy\n",
    ):
        assert told in shown
    sidecar(server, "web")
    db.listen("")
    at(server, "done")


def command(server: Any, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "xdsmesh", "ca", *arguments, "--http-addr", str(server.http.base_url)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )

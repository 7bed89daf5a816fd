"""What a denied call leaves behind on stock Envoys: a header, a line in the log, a number."""

import asyncio
import json
import ssl
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from xdsmesh.bootstrap import find_envoy
from xdsmesh.demo.control import Control
from xdsmesh.demo.layout import SERVER_HOST, Instance
from xdsmesh.demo.network import Network, claimed_network
from xdsmesh.demo.processes import Processes
from xdsmesh.demo.running import RunningMesh

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="module")]

HERE: Final = Path(__file__).parent
HOSTS: Final = {"client": 10, "web": 20, "api": 30, "db": 40, "cache": 50}
UPSTREAMS: Final = {"web": 10, "api": 11, "db": 12, "cache": 13}
INSTANCES: Final = tuple(Instance(f"{name}-1", name, host) for name, host in HOSTS.items())
COUNTER: Final = "envoy_xdsmesh_calls{"
BOUND: Final = 5
"""Seconds in which an answer or the end of a connection must come."""


class Mesh:
    """The mesh of ``denials/mesh.hcl``, and its traces."""

    def __init__(self, folder: Path, network: Network, running: RunningMesh, http: httpx.AsyncClient) -> None:
        self.folder = folder
        self._network = network
        self._running = running
        self._http = http

    def address(self, service: str) -> tuple[str, int]:
        """Where the application ``client`` finds a service."""
        return self._network.host(UPSTREAMS[service]), self._network.upstream_port

    def sidecar(self, service: str) -> tuple[str, int]:
        """Where the sidecar of a service listens to the mesh."""
        return self._network.host(HOSTS[service]), self._network.sidecar_port

    async def get(self, service: str, path: str, **headers: str) -> httpx.Response:
        host, port = self.address(service)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._http.get(f"http://{host}:{port}{path}", headers=named)

    def lines(self, service: str) -> list[dict[str, Any]]:
        """What the sidecar of a service has logged in JSON."""
        text = (self.folder / f"envoy of {service}-1.log").read_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    async def line(self, service: str, **values: str) -> dict[str, Any]:
        """The one line of a sidecar with these values."""
        found: list[dict[str, Any]] = []

        async def is_there() -> bool:
            found[:] = [each for each in self.lines(service) if values.items() <= each.items()]
            return bool(found)

        await self._running.wait(is_there, 20, f"the sidecar of {service} logs {values}")
        (only,) = found
        return only

    async def counted(self, service: str) -> dict[str, int]:
        """The counters of calls to a service, by their labels."""
        host = self._network.host(HOSTS[service])
        url = f"http://{host}:{self._network.admin_port}/stats/prometheus?filter=xdsmesh"
        lines = [each for each in (await self._http.get(url)).text.splitlines() if each.startswith(COUNTER)]
        return {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in lines}

    async def passes(self) -> bool:
        try:
            open_ = (await self.get("api", "/open")).status_code == 200
            cache = (await self.get("cache", "/")).status_code == 200
            denied = (await self.get("web", "/ready")).status_code == 403
        except httpx.HTTPError:
            return False
        return open_ and cache and denied


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mesh]:
    folder = tmp_path_factory.mktemp("denials")
    with claimed_network() as network:
        places = {name: getattr(network, name) for name in ("app_port", "sidecar_port", "upstream_port")} | {
            "network": network.prefix
        }
        (folder / "config").mkdir()
        text = (HERE / "denials" / "mesh.hcl").read_text()
        (folder / "config" / "mesh.hcl").write_text(Template(text).substitute(places))
        server = network.host(SERVER_HOST)
        apps = [f"{network.host(HOSTS[name])}:{network.app_port}={name}" for name in UPSTREAMS]
        async with (
            Processes(folder) as processes,
            Control(f"http://{server}:{network.http_port}") as control,
            httpx.AsyncClient(trust_env=False, timeout=BOUND) as http,
        ):
            running = RunningMesh(folder, network, processes)
            command = ["-m", "xdsmesh", "server", "--default-intention-policy", "deny", "--dns-addr", "off"]
            command += ["--config-dir", str(folder / "config"), "--data-dir", str(folder / "data")]
            command += ["--http-addr", f"{server}:{network.http_port}"]
            command += ["--xds-addr", f"{server}:{network.xds_port}"]
            await processes.start("server", sys.executable, *command)
            await processes.start("apps", sys.executable, str(HERE / "routes" / "echo.py"), *apps)
            await running.wait(control.answers, 20, "the server answers")
            for each in INSTANCES:
                await running.start_envoy(find_envoy(), each)
            mesh = Mesh(folder, network, running, http)
            await running.wait(mesh.passes, 60, "what is allowed passes")
            yield mesh


@pytest.mark.parametrize(
    ("service", "path", "by"),
    [("web", "/", "intention"), ("api", "/secret", "permission"), ("api", "/else", "default")],
)
async def test_a_denied_caller_learns_the_class_of_what_decided_and_no_name(
    mesh: Mesh, service: str, path: str, by: str
) -> None:
    answer = await mesh.get(service, path)

    assert (answer.status_code, answer.headers["x-xdsmesh-denied"]) == (403, by)
    assert answer.text.startswith("denied")
    assert "client" not in answer.text
    assert service not in answer.text


async def test_a_403_of_the_application_is_left_as_it_is(mesh: Mesh) -> None:
    answer = await mesh.get("api", "/open/own", x_fail="1 403", x_key="own 403")

    assert (answer.status_code, answer.headers["x-from-app"]) == (403, "1")
    assert "x-xdsmesh-denied" not in answer.headers


async def test_a_denied_grpc_call_has_the_status_permission_denied_and_the_header(mesh: Mesh) -> None:
    answer = await mesh.get("web", "/package.Service/Call", content_type="application/grpc")

    assert (answer.headers["grpc-status"], answer.headers["x-xdsmesh-denied"]) == ("7", "intention")


@pytest.mark.parametrize(
    ("service", "path", "decision"),
    [
        ("web", "/line", "intention client => web: deny"),
        ("api", "/secret/line", "permission 1 of client => api: deny"),
        ("api", "/line", "default (no permission of client => api): deny"),
    ],
)
async def test_the_log_of_the_destination_names_what_denied_a_request(
    mesh: Mesh, service: str, path: str, decision: str
) -> None:
    await mesh.get(service, path)

    line = await mesh.line(service, path=path)
    assert (line["decision"], line["verdict"], line["destination"]) == (decision, "denied", service)
    assert line["source"].endswith("/svc/client")


async def test_without_access_logs_only_denials_are_logged(mesh: Mesh) -> None:
    await mesh.get("api", "/open")
    await mesh.get("api", "/secret/after")
    await mesh.line("api", path="/secret/after")

    assert {each["verdict"] for each in mesh.lines("api")} == {"denied"}


@pytest.mark.parametrize("says", [b"", b"hello"])
async def test_a_denied_connection_ends_at_once_whether_the_caller_speaks_or_not(
    mesh: Mesh, says: bytes
) -> None:
    reader, writer = await asyncio.open_connection(*mesh.address("db"))
    writer.write(says)
    try:
        async with asyncio.timeout(BOUND):
            assert await reader.read() == b""
    except ConnectionResetError:
        pass
    finally:
        writer.close()


async def test_the_log_of_the_destination_names_what_denied_a_connection(mesh: Mesh) -> None:
    _, writer = await asyncio.open_connection(*mesh.address("db"))
    try:
        await mesh._running.wait(lambda: _logged(mesh, "db"), 20, "the denial is logged")
    finally:
        writer.close()

    line = next(each for each in mesh.lines("db") if each.get("source"))
    assert (line["decision"], line["verdict"]) == ("intention client => db: deny", "denied")
    assert line["source"].endswith("/svc/client")


async def _logged(mesh: Mesh, service: str) -> bool:
    return any(each.get("source") for each in mesh.lines(service))


@pytest.mark.parametrize(
    ("service", "verdict"), [("web", "denied"), ("api", "allowed"), ("db", "denied"), ("cache", "allowed")]
)
async def test_calls_are_counted_by_the_pair_of_services(mesh: Mesh, service: str, verdict: str) -> None:
    label = f'/svc/client",destination="{service}",verdict="{verdict}"}}'

    async def counted() -> bool:
        if service == "db":
            _, writer = await asyncio.open_connection(*mesh.address("db"))
            writer.close()
        else:
            await mesh.get(service, "/open", connection="close")
        return any(each.endswith(label) for each in await mesh.counted(service))

    await mesh._running.wait(counted, 20, f"{label} is counted")


def certificate_of_its_own(spiffe_id: str) -> bytes:
    """A certificate for which nobody vouches but itself, and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject_name=x509.Name([]), issuer_name=x509.Name([]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(spiffe_id)]), critical=True
        )
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(pem, pkcs8, plain) + certificate.public_bytes(pem)


@pytest.mark.parametrize("service", ["db", "cache", "web"])
async def test_a_caller_with_a_certificate_of_another_root_is_never_named_or_counted_as_the_service(
    mesh: Mesh, service: str
) -> None:
    line_of = next(iter(mesh.lines("web")))
    spiffe_id = line_of["source"].replace("/svc/client", "/svc/liar")
    file = mesh.folder / "liar.pem"
    file.write_bytes(certificate_of_its_own(spiffe_id))
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(file)
    try:
        async with asyncio.timeout(BOUND):
            reader, writer = await asyncio.open_connection(*mesh.sidecar(service), ssl=context)
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            assert await reader.read() == b""
    except OSError:  # such as ssl.SSLError
        pass

    line = await mesh.line(service, claimed_source=spiffe_id)
    assert line["verdict"] == "denied"
    assert "CERTIFICATE_VERIFY_FAILED" in line["downstream_transport_failure_reason"]
    assert not {"source", "decision"} & line.keys()
    assert not any("liar" in label for label in await mesh.counted(service))


async def test_a_port_that_is_only_looked_at_is_no_denial(mesh: Mesh) -> None:
    _, writer = await asyncio.open_connection(*mesh.sidecar("cache"))
    writer.close()
    await mesh.get("web", "/looked-at")
    await mesh.line("web", path="/looked-at")

    assert all("claimed_source" in each for each in mesh.lines("cache"))

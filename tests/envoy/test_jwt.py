"""A stock Envoy asks callers for the tokens that intentions demand: https://www.rfc-editor.org/rfc/rfc7519."""

import asyncio
import base64
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.envoy.tokens import HOUR, Signer
from xdsmesh.bootstrap import find_envoy
from xdsmesh.demo.control import Control
from xdsmesh.demo.layout import SERVER_HOST, Instance
from xdsmesh.demo.network import Network, claimed_network
from xdsmesh.demo.processes import Processes
from xdsmesh.demo.running import RunningMesh

pytestmark = pytest.mark.envoy

Json = dict[str, Any]

API = Instance("api", "api", 20)
KEYS_HOST = 30
OK, FORBIDDEN = HTTPStatus.OK, HTTPStatus.FORBIDDEN
PATIENCE = 20.0
ISSUER = Signer.rs256()
OTHER = Signer.es256()
HTTP = {"Kind": "service-defaults", "Name": "api", "Protocol": "http"}


class Mesh:
    """The service ``api`` behind a stock Envoy, and callers that connect to that as other services."""

    def __init__(self, network: Network, http: httpx.AsyncClient, folder: Path) -> None:
        self.network = network
        self.fetches = 0
        self.keys = ISSUER.key_set
        self._http = http
        self._folder = folder
        self._contexts: dict[str, ssl.SSLContext] = {}

    @property
    def keys_uri(self) -> str:
        return f"http://{self.network.host(KEYS_HOST)}:{self.network.app_port}/keys"

    async def write(self, *entries: Json) -> None:
        for entry in entries:
            (await self.put(entry)).raise_for_status()

    async def put(self, entry: Json) -> httpx.Response:
        """Write an entry; the answer comes when the Envoy has acknowledged what follows."""
        return await self._http.put("/v1/config", json=entry, params={"wait-for-proxies": "10s"})

    async def register(self) -> None:
        sidecar = {"Address": self.network.host(API.host), "Port": self.network.sidecar_port}
        application = {"LocalServiceAddress": self.network.host(API.host)}
        service = {
            "Name": "api",
            "Port": self.network.app_port,
            "Connect": {"SidecarService": {**sidecar, "Proxy": application}},
        }
        (await self._http.put("/v1/agent/service/register", json=service)).raise_for_status()

    async def call(self, token: str = "", path: str = "/", caller: str = "web", **headers: str) -> int:
        """The status that a request gets on a connection of its own; 0 while nothing listens."""
        if caller not in self._contexts:
            self._contexts[caller] = await self._context(caller)
        if token:
            headers["authorization"] = f"Bearer {token}"
        url = f"https://{self.network.host(API.host)}:{self.network.sidecar_port}{path}"
        try:
            async with httpx.AsyncClient(verify=self._contexts[caller], trust_env=False) as http:
                return (await http.get(url, headers=headers)).status_code
        except httpx.TransportError:
            return 0

    async def becomes(self, status: int, ask: Callable[[], Any]) -> None:
        """Return when a request gets this status; a listener that was replaced may answer for a moment."""
        deadline = time.monotonic() + PATIENCE
        while (got := await ask()) != status:
            assert time.monotonic() < deadline, f"{got}, and not {status}"
            await asyncio.sleep(0.05)

    async def _context(self, caller: str) -> ssl.SSLContext:
        leaf = (await self._http.get(f"/v1/agent/connect/ca/leaf/{caller}")).raise_for_status().json()
        roots = (await self._http.get("/v1/connect/ca/roots")).raise_for_status().json()
        context = ssl.create_default_context(cadata="".join(each["RootCert"] for each in roots["Roots"]))
        context.check_hostname = False  # the name of a service is in a URI
        file = self._folder / f"{caller}.pem"
        file.write_text(leaf["PrivateKeyPEM"] + leaf["CertPEM"])
        context.load_cert_chain(file)
        return context

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The application, and who has the keys."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            body = b"application"
            if head.startswith(b"GET /keys "):
                self.fetches += 1
                body = self.keys.encode()
            writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body))
            writer.write(body)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # a probe, or an Envoy that ends
        finally:
            writer.close()


@asynccontextmanager
async def running(folder: Path, policy: str) -> AsyncIterator[Mesh]:
    with claimed_network() as network:
        server = network.host(SERVER_HOST)
        api = f"http://{server}:{network.http_port}"
        command = [sys.executable, "-m", "xdsmesh", "server", "--dev", "--default-intention-policy", policy]
        command += ["--http-addr", f"{server}:{network.http_port}", "--dns-addr", "off"]
        command += ["--xds-addr", f"{server}:{network.xds_port}"]
        async with (
            Processes(folder) as processes,
            Control(api) as control,
            httpx.AsyncClient(base_url=api, trust_env=False, timeout=30) as http,
        ):
            mesh = Mesh(network, http, folder)
            hosts = [network.host(API.host), network.host(KEYS_HOST)]
            async with await asyncio.start_server(mesh.serve, hosts, network.app_port):
                running = RunningMesh(folder, network, processes)
                await processes.start("server", *command)
                await running.wait(control.answers, PATIENCE, "the server answers")
                await mesh.write(HTTP)
                await mesh.register()
                await running.start_envoy(find_envoy(), API)
                await running.wait(lambda: control.synced([API.proxy]), PATIENCE, "the proxy is in sync")
                yield mesh


@pytest.fixture
def start(tmp_path: Path) -> Callable[[str], AbstractAsyncContextManager[Mesh]]:
    return partial(running, tmp_path)


Start = Callable[[str], AbstractAsyncContextManager[Mesh]]


def provider(signer: Signer = ISSUER, name: str = "okta", **more: Any) -> Json:
    keys = base64.b64encode(signer.key_set.encode()).decode()
    return {
        "Kind": "jwt-provider",
        "Name": name,
        "Issuer": "https://issuer",
        "Audiences": ["shop"],
        "JSONWebKeySet": {"Local": {"JWKS": keys}},
        **more,
    }


def intentions(*sources: Json, **more: Any) -> Json:
    return {"Kind": "service-intentions", "Name": "api", "Sources": list(sources), **more}


def demand(*path: str, value: str = "", name: str = "okta") -> Json:
    claims = [{"Path": list(path), "Value": value}] if path else []
    return {"Providers": [{"Name": name, "VerifyClaims": claims}]}


def server_identity(address: str, folder: Path) -> tuple[ssl.SSLContext, str]:
    """What a server shows at an address, and its certificate, which vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "keys")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .sign(key, SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM).decode()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    file = folder / "keys.pem"
    file.write_text(private + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, pem


WEB = {"Name": "web", "Action": "allow"}
BAD = {"Name": "bad", "Action": "deny"}


@pytest.mark.parametrize("policy", ["deny", "allow"])
async def test_ledger_05_a_demanded_token_is_asked_for_whatever_the_default(
    start: Start, policy: str
) -> None:
    async with start(policy) as mesh:
        await mesh.write(provider(), intentions(WEB, BAD, JWT=demand()))
        await mesh.becomes(OK, lambda: mesh.call(ISSUER.token()))

        assert await mesh.call() == FORBIDDEN
        assert await mesh.call("nonsense") == FORBIDDEN
        assert await mesh.call(ISSUER.token(exp=int(time.time()) - HOUR)) == FORBIDDEN
        assert await mesh.call(OTHER.token()) == FORBIDDEN
        assert await mesh.call(ISSUER.token()[:-8] + "AAAAAAAA") == FORBIDDEN
        assert await mesh.call(ISSUER.token(iss="https://other")) == FORBIDDEN
        assert await mesh.call(ISSUER.token(aud="bar")) == FORBIDDEN

        assert await mesh.call(ISSUER.token(), caller="bad") == FORBIDDEN
        assert await mesh.call(caller="bad") == FORBIDDEN


async def test_the_clock_of_an_issuer_may_be_off_by_what_the_entry_says(start: Start) -> None:
    async with start("deny") as mesh:
        await mesh.write(provider(ClockSkewSeconds=300), intentions(WEB, JWT=demand()))
        await mesh.becomes(OK, lambda: mesh.call(ISSUER.token(exp=int(time.time()) - 200)))
        assert await mesh.call(ISSUER.token(exp=int(time.time()) - 400)) == FORBIDDEN


async def test_a_claim_is_a_text_or_an_element_of_a_list_at_any_depth(start: Start) -> None:
    async with start("deny") as mesh:
        await mesh.write(provider(OTHER), intentions(WEB, JWT=demand("user", "roles", value="admin")))
        await mesh.becomes(OK, lambda: mesh.call(OTHER.token(user={"roles": "admin"})))

        assert await mesh.call(OTHER.token(user={"roles": ["dev", "admin"]})) == OK
        assert await mesh.call(OTHER.token(user={"roles": ["dev"]})) == FORBIDDEN
        assert await mesh.call(OTHER.token(user={"roles": "administrator"})) == FORBIDDEN
        assert await mesh.call(OTHER.token(roles="admin")) == FORBIDDEN
        assert await mesh.call(OTHER.token()) == FORBIDDEN


@pytest.mark.parametrize("policy", ["deny", "allow"])
async def test_a_permission_without_its_token_is_passed_over(start: Start, policy: str) -> None:
    permissions = [
        {"Action": "allow", "HTTP": {"PathPrefix": "/a"}, "JWT": demand()},
        {"Action": "allow", "HTTP": {"PathPrefix": "/a/open"}},
        {"Action": "deny", "HTTP": {"PathPrefix": "/a"}},
    ]
    async with start(policy) as mesh:
        await mesh.write(provider(), intentions({"Name": "web", "Permissions": permissions}))
        await mesh.becomes(OK, lambda: mesh.call(ISSUER.token(), "/a"))

        assert await mesh.call("", "/a") == FORBIDDEN
        assert await mesh.call("", "/a/open") == OK
        assert await mesh.call(OTHER.token(), "/a/open") == OK
        assert await mesh.call("", "/b") == (OK if policy == "allow" else FORBIDDEN)


async def test_any_of_several_providers_will_do(start: Start) -> None:
    either = {"Providers": [{"Name": "okta"}, {"Name": "auth0"}]}
    second = provider(
        OTHER, "auth0", Locations=[{"Header": {"Name": "x-token"}}, {"QueryParam": {"Name": "t"}}]
    )
    async with start("deny") as mesh:
        await mesh.write(provider(), second, intentions(WEB, JWT=either))
        await mesh.becomes(OK, lambda: mesh.call(ISSUER.token()))

        assert await mesh.call(**{"x-token": OTHER.token()}) == OK
        assert await mesh.call(path=f"/?t={OTHER.token()}") == OK
        assert await mesh.call(OTHER.token()) == FORBIDDEN
        assert await mesh.call() == FORBIDDEN


@pytest.mark.parametrize("at_once", [False, True])
async def test_ledger_29_keys_are_fetched_from_a_server(start: Start, *, at_once: bool) -> None:
    async with start("deny") as mesh:
        remote = {
            "URI": mesh.keys_uri,
            "RequestTimeoutMs": 900,
            "CacheDuration": "1s",
            "FetchAsynchronously": at_once,
        }
        await mesh.write(provider(JSONWebKeySet={"Remote": remote}), intentions(WEB, JWT=demand()))
        await mesh.becomes(OK, lambda: mesh.call(ISSUER.token()))
        assert await mesh.call() == FORBIDDEN
        assert await mesh.call(OTHER.token()) == FORBIDDEN

        mesh.keys = OTHER.key_set
        await mesh.becomes(OK, lambda: mesh.call(OTHER.token()))
        await mesh.becomes(FORBIDDEN, lambda: mesh.call(ISSUER.token()))


@pytest.mark.parametrize(
    ("host", "trusted", "status"), [(40, True, OK), (41, True, FORBIDDEN), (40, False, FORBIDDEN)]
)
async def test_keys_are_only_taken_from_a_server_that_proves_who_it_is(
    start: Start, tmp_path: Path, host: int, status: int, *, trusted: bool
) -> None:
    """Of two addresses one is in the server's certificate, which the system's roots do not vouch for."""
    async with start("deny") as mesh:
        context, certificate = server_identity(mesh.network.host(40), tmp_path)
        address, port = mesh.network.host(host), mesh.network.upstream_port
        remote: Json = {"URI": f"https://{address}:{port}/keys"}
        if trusted:
            tls = {"TLSCertificates": {"TrustedCA": {"InlineString": certificate}}}
            remote["JWKSCluster"] = {"DiscoveryType": "STATIC", **tls}
        async with await asyncio.start_server(mesh.serve, address, port, ssl=context):
            await mesh.write(provider(JSONWebKeySet={"Remote": remote}), intentions(WEB, JWT=demand()))
            await mesh.becomes(status, lambda: mesh.call(ISSUER.token()))
            assert (mesh.fetches > 0) is (status == OK)
            assert await mesh.call() == FORBIDDEN


async def test_ledger_06_a_token_is_not_demanded_where_there_are_no_requests(start: Start) -> None:
    async with start("deny") as mesh:
        await mesh.write(provider(), intentions(WEB, JWT=demand()))
        refused = await mesh.put({**HTTP, "Protocol": "tcp"})
        assert refused.status_code == HTTPStatus.BAD_REQUEST
        assert 'service-intentions "api" needs a JWT, but the protocol of "api" is tcp' in refused.text

"""No spelling of a request evades an intention, and what the mesh entry says of requests and of TLS holds.

The caller is a raw socket with a certificate of the mesh, at the public listener of a destination: there is
no proxy before it that would bring anything into order. The application keeps what has arrived.
"""

import contextlib
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

pytestmark = pytest.mark.envoy

SECONDS: Final = 20
ADMIN: Final = (
    "/admin",
    "//admin",
    "///admin",
    "/./admin",
    "/x/../admin",
    "/%2fadmin",
    "/%2Fadmin",
    "/x/..%2fadmin",
    "/x%2f..%2fadmin",
    "/x/%2e%2e/admin",
    "/%61dmin",
    "/%61%64%6d%69%6e",
    "/\\admin",
    "/%5cadmin",
    "/x\\..\\admin",
    "/x/..;/admin",
    "/public/../admin",
    "/public/..%2fadmin",
    "/public%2f..%2fadmin",
    "http://db/admin",
    "http://db//admin",
)
"""Spellings of ``/admin``: there are servers and applications that take each of them for it."""


class App(socketserver.ThreadingTCPServer):
    """An application that keeps the heads of all requests as they came."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.heads: list[str] = []

    @property
    def port(self) -> int:
        port: int = self.server_address[1]
        return port


class _Answer(socketserver.StreamRequestHandler):
    server: App

    def handle(self) -> None:
        while line := self.rfile.readline():
            lines = [line]
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                lines.append(line)
            self.server.heads.append(b"".join(lines).decode("latin-1"))
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


@dataclass
class Destination:
    """The service ``db`` behind a stock Envoy, and a certificate of ``web`` to call it with."""

    server: Any
    app: App
    port: int
    certificates: Path
    open_connections: list[ssl.SSLSocket] = field(default_factory=list)

    def connect(self, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLSocket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.maximum_version = newest
        context.load_verify_locations(self.certificates / "roots.pem")
        context.load_cert_chain(self.certificates / "web.pem", self.certificates / "web.key")
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)
        connection = context.wrap_socket(raw)
        self.open_connections.append(connection)
        return connection

    def ask(self, path: str, *headers: str, over: ssl.SSLSocket | None = None) -> int:
        """The status of the answer to a request, which is sent just as it is given."""
        connection = over or self.connect()
        head = [f"GET {path} HTTP/1.1", "host: db", *headers, "", ""]
        connection.sendall("\r\n".join(head).encode("latin-1"))
        answer = connection.recv(65_536).decode()
        return int(answer.split(" ", 2)[1])

    def arrived(self) -> str:
        """The head of the request that came last."""
        return self.app.heads[-1]

    def write(self, *entries: dict[str, Any]) -> None:
        """Write config entries; every proxy has acknowledged them then."""
        for entry in entries:
            answer = self.server.http.put("/v1/config?wait-for-proxies=15s", json=entry)
            assert answer.is_success, answer.text

    def close(self) -> None:
        for connection in self.open_connections:
            connection.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


Run = Callable[[Any, str], None]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Run the sidecar of an instance until the test ends; it holds its configuration then."""
    running: list[subprocess.Popen[bytes]] = []

    def run_one(server: Any, instance: str) -> None:
        command = (sys.executable, "-m", "xdsmesh", "envoy", "--sidecar-for", instance)
        address = ("--http-addr", str(server.http.base_url), "--grpc-addr", server.xds)
        with (tmp_path / f"{instance}.log").open("wb") as output:
            running.append(subprocess.Popen([*command, *address], stdout=output, stderr=output))

        def ready() -> bool:
            connected = server.http.get("/v1/xdsmesh/proxies").json()["connected"]
            types = [
                kind for each in connected if each["proxy"].startswith(instance) for kind in each["types"]
            ]
            return {"LDS", "SDS"} <= {kind["type"] for kind in types if kind["state"] == "SYNCED"}

        server.wait(ready, f"the sidecar of {instance} is in sync")

    yield run_one
    for process in running:
        process.kill()
        process.wait(10)


@pytest.fixture
def app() -> Iterator[App]:
    with App() as application:
        thread = threading.Thread(target=application.serve_forever, args=(0.05,))
        thread.start()
        yield application
        application.shutdown()
        thread.join(SECONDS)


Make = Callable[..., Destination]


@pytest.fixture
def make(start: Callable[..., Any], run: Run, app: App, tmp_path: Path) -> Iterator[Make]:
    """Make a mesh with a default policy and some config entries, and its one destination."""
    made: list[Destination] = []

    def make_one(policy: str, *entries: dict[str, Any]) -> Destination:
        server = start("--dev", "--default-intention-policy", policy)
        port = free_port()
        register(server, "db", app.port, {"Port": port})
        destination = Destination(server, app, port, tmp_path)
        made.append(destination)
        for entry in ({"Kind": "service-defaults", "Name": "db", "Protocol": "http"}, *entries):
            server.http.put("/v1/config", json=entry).raise_for_status()
        run(server, "db-1")
        leaf = server.http.get("/v1/agent/connect/ca/leaf/web").json()
        roots = server.http.get("/v1/connect/ca/roots").json()["Roots"]
        (tmp_path / "web.pem").write_text(leaf["CertPEM"])
        (tmp_path / "web.key").write_text(leaf["PrivateKeyPEM"])
        (tmp_path / "roots.pem").write_text("".join(root["RootCert"] for root in roots))
        server.wait(destination_listens(destination), "the public listener is open")
        return destination

    yield make_one
    for destination in made:
        destination.close()


def destination_listens(destination: Destination) -> Callable[[], bool]:
    def listens() -> bool:
        with contextlib.suppress(OSError):
            return bool(destination.ask("/is-it-open", "x-role: nobody"))
        return False

    return listens


def register(server: Any, service: str, port: int, sidecar: dict[str, Any]) -> None:
    body = {
        "ID": f"{service}-1",
        "Name": service,
        "Address": "127.0.0.1",
        "Port": port,
        "Connect": {"SidecarService": {"Address": "127.0.0.1", **sidecar}},
    }
    server.http.put("/v1/agent/service/register", json=body).raise_for_status()


def intention(*permissions: dict[str, Any]) -> dict[str, Any]:
    sources = [{"Name": "web", "Permissions": list(permissions)}]
    return {"Kind": "service-intentions", "Name": "db", "Sources": sources}


def permission(action: str, **http: Any) -> dict[str, Any]:
    return {"Action": action, "HTTP": http}


NO_ADMIN: Final = intention(permission("deny", PathPrefix="/admin"))
ONLY_PUBLIC: Final = intention(permission("allow", PathPrefix="/public"))


@pytest.mark.parametrize(("policy", "entry"), [("allow", NO_ADMIN), ("deny", ONLY_PUBLIC)])
def test_cve_2024_10005_no_spelling_of_a_path_evades_an_intention(
    make: Make, policy: str, entry: dict[str, Any]
) -> None:
    db = make(policy, entry)
    assert db.ask("/public/x") == 200
    heads = len(db.app.heads)

    answers = {path: db.ask(path) for path in ADMIN}

    assert {path: status for path, status in answers.items() if status not in (400, 403)} == {}
    assert db.app.heads[heads:] == []


def test_ledger_04_the_application_sees_the_path_that_was_judged(make: Make) -> None:
    db = make("deny", ONLY_PUBLIC)

    assert db.ask("/x%2f..//public/./a%2fb?q=%2F//") == 200

    assert db.arrived().startswith("GET /public/a/b?q=%2F// ")
    assert db.ask("/public/x//../admin") == 200
    assert db.arrived().startswith("GET /public/x/admin "), "what is before `..` is the empty segment"


def test_ledger_04_a_first_rule_on_a_path_can_not_be_evaded_over_connections_that_are_open(
    make: Make,
) -> None:
    """They keep the listener that merges nothing; the rules come with the routes."""
    db = make("allow")
    spellings = ("//admin", "/%2fadmin", "/x%2F..%5cadmin")
    connections = {path: db.connect() for path in spellings}
    assert [db.ask(path, over=connections[path]) for path in spellings] == [200, 200, 200]

    db.write(NO_ADMIN)

    assert [db.ask(path, over=connections[path]) for path in spellings] == [403, 403, 403]
    db.server.wait(lambda: db.ask("/a//b%2Fc") == 200, "new connections bring paths into order instead")
    assert db.arrived().startswith("GET /a/b/c ")


def test_escaped_slashes_stay_where_no_intention_looks_at_paths(make: Make) -> None:
    db = make("allow", intention(permission("deny", Methods=["DELETE"])))

    assert db.ask("/projects/group%2Fname//x") == 200

    assert db.arrived().startswith("GET /projects/group%2Fname//x ")


def test_the_mesh_entry_decides_alone_how_requests_are_normalised(make: Make) -> None:
    block = {"PathWithEscapedSlashesAction": "REJECT_REQUEST", "HeadersWithUnderscoresAction": "DROP_HEADER"}
    mesh = {"Kind": "mesh", "HTTP": {"Incoming": {"RequestNormalization": block}}}
    db = make("allow", NO_ADMIN, mesh)

    assert db.ask("/a%2Fb") == 400
    assert db.ask("/a//b", "x_role: admin", "x-role: user") == 200
    assert db.arrived().startswith("GET /a//b ")
    assert "x_role" not in db.arrived()


ROLES: Final[tuple[tuple[dict[str, Any], tuple[str, ...]], ...]] = (
    ({"Exact": "admin"}, ("admin",)),
    ({"Exact": "admin"}, ("user", "admin")),
    ({"Exact": "admin"}, ("admin", "user")),
    ({"Exact": "admin"}, ("user", "  admin  ")),
    ({"Exact": "admin", "IgnoreCase": True}, ("user", "AdMiN")),
    ({"Prefix": "adm"}, ("user", "admin")),
    ({"Suffix": "min"}, ("admin", "user")),
    ({"Contains": "admin"}, ("user,admin",)),
    ({"Contains": "admin", "IgnoreCase": True}, ("user", "the-ADMIN-role")),
    ({"Regex": "adm.*"}, ("user", "admin")),
)
"""What is denied, and values of one header that may each be in a line of its own."""


def test_cve_2024_10006_a_denied_header_is_found_among_several_and_in_any_case(make: Make) -> None:
    denied = [
        permission("deny", Header=[{"Name": f"x-role-{number}", **value}])
        for number, (value, _) in enumerate(ROLES)
    ]
    db = make("allow", intention(*denied))

    for number, (value, found) in enumerate(ROLES):
        for name in (f"x-role-{number}", f"X-ROLE-{number}"):
            assert db.ask("/", f"{name}: user", f"{name}: guest") == 200, value
            assert db.ask("/", *(f"{name}: {each}" for each in found)) == 403, (value, found)


def test_cve_2024_10006_who_leaves_out_a_header_does_not_evade_that_it_must_have_a_value(make: Make) -> None:
    db = make(
        "allow", intention(permission("deny", Header=[{"Name": "x-role", "Exact": "user", "Invert": True}]))
    )

    assert db.ask("/", "x-role: user") == 200
    assert [db.ask("/"), db.ask("/", "x-role: admin"), db.ask("/", "x-role: USER")] == [403, 403, 403]


MADE_UP: Final = "By=spiffe://x;Hash=0;URI=spiffe://corp/ns/default/dc/dc1/svc/boss"


def callers_told(db: Destination) -> list[str]:
    name = "x-forwarded-client-cert:"
    return [line for line in db.arrived().splitlines() if line.lower().startswith(name)]


@pytest.mark.parametrize(
    "names",
    [
        ("x-forwarded-client-cert",),
        ("X-Forwarded-Client-Cert",),
        ("x-forwarded-client-cert", "X-FORWARDED-CLIENT-CERT"),
    ],
)
def test_ledger_10_a_caller_can_not_make_up_who_it_is(make: Make, names: tuple[str, ...]) -> None:
    db = make("allow")

    assert db.ask("/", *(f"{name}: {MADE_UP}" for name in names)) == 200

    (told,) = callers_told(db)
    assert "svc/boss" not in db.arrived()
    assert told.endswith("/svc/web") or "/svc/web;" in told


def test_ledger_10_an_application_that_shall_not_know_is_told_nothing_not_even_lies(make: Make) -> None:
    db = make("allow", {"Kind": "mesh", "HTTP": {"SanitizeXForwardedClientCert": True}})

    assert db.ask("/", f"X-Forwarded-Client-Cert: {MADE_UP}") == 200

    assert callers_told(db) == []
    assert "svc/boss" not in db.arrived()


def test_tls_1_3_as_the_oldest_version_refuses_who_speaks_1_2_and_no_sidecar(make: Make, run: Run) -> None:
    """Envoys that call stop at TLS 1.2 unless they are told otherwise."""
    tls = {"Incoming": {"TLSMinVersion": "TLSv1_3"}}
    db = make("allow", {"Kind": "mesh", "TLS": tls, "ValidateClusters": True})
    upstream = free_port()
    proxy = {"Upstreams": [{"DestinationName": "db", "LocalBindPort": upstream}]}
    register(db.server, "web", free_port(), {"Port": free_port(), "Proxy": proxy})
    run(db.server, "web-1")

    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        db.connect(ssl.TLSVersion.TLSv1_2)
    with httpx.Client(trust_env=False) as client:

        def answers() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return client.get(f"http://127.0.0.1:{upstream}/x").status_code == 200
            return False

        db.server.wait(answers, "the sidecar of web reaches db")
    (told,) = callers_told(db)
    assert "/svc/web" in told


def test_secvuln_41453_a_listener_of_ones_own_weakens_nothing(make: Make) -> None:
    """It is told that it has no effect; the public listener stays as it was (ledger 3)."""
    db = make("deny", ONLY_PUBLIC)
    own = '{"name": "mine", "address": {"socket_address": {"address": "127.0.0.1", "port_value": 1}}}'
    config = {"envoy_public_listener_json": own}
    answer = db.server.http.put(
        "/v1/config?wait-for-proxies=15s",
        json={"Kind": "proxy-defaults", "Name": "global", "Config": config},
    )
    assert answer.is_success
    assert "envoy_public_listener_json has no effect yet" in str(answer.headers)

    held = db.server.http.get("/v1/xdsmesh/proxy-config/db-1-sidecar-proxy").text
    assert '"mine"' not in held
    assert db.ask("/public") == 200
    assert {db.ask(path) for path in ADMIN} <= {400, 403}

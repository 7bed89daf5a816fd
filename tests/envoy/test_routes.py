"""Routes on stock Envoys: each example is a part of one service-router, and requests that show what it does.

The mesh: ``client`` calls ``web``, whose router has all the routes below, in this order. They lead to ``api``
and to two versions of ``admin``; ``routes/services.hcl`` and ``routes/entries.hcl`` say the rest. The
applications tell who they are and what arrived: ``routes/echo.py``.
"""

import json
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from xdsmesh.bootstrap import find_envoy
from xdsmesh.demo.control import Control
from xdsmesh.demo.layout import SERVER_HOST, Instance
from xdsmesh.demo.network import Network, claimed_network
from xdsmesh.demo.processes import Processes
from xdsmesh.demo.running import RunningMesh

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="module")]

HERE: Final = Path(__file__).parent / "routes"
CLIENT: Final = Instance("client-1", "client", 10)
WEB: Final = Instance("web-1", "web", 20)
API: Final = Instance("api-1", "api", 30)
ADMIN_V1: Final = Instance("admin-v1-1", "admin", 41, "v1")
ADMIN_V2: Final = Instance("admin-v2-1", "admin", 42, "v2")
INSTANCES: Final = (CLIENT, WEB, API, ADMIN_V1, ADMIN_V2)

web, api, v1, v2, nobody = "web", "api", "admin v1", "admin v2", "nobody"


@dataclass(frozen=True)
class Ask:
    """A request, who must answer it, and what else must be true of it. None is a header that is not there."""

    who: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    status: int = 200
    arrives_as: str = ""
    app_sees: Mapping[str, str | None] = field(default_factory=dict)
    caller_sees: Mapping[str, str | None] = field(default_factory=dict)
    attempts: int = 1

    def __str__(self) -> str:
        headers = "".join(f" {name}={value}" for name, value in self.headers.items())
        return f"{self.method} {self.path}{headers} -> {self.who} {self.status}"


@dataclass(frozen=True)
class Example:
    """Routes as people write them, and requests that meet them."""

    title: str
    routes: str
    asks: tuple[Ask, ...]


EXAMPLES: Final = (
    Example(
        "an exact path",
        """
        { Match { HTTP { PathExact = "/exact" } }
          Destination { Service = "api" } },
        """,
        (
            Ask(api, "/exact"),
            Ask(api, "/exact?with=query"),
            Ask(web, "/exact/"),
            Ask(web, "/exact/more"),
            Ask(web, "/Exact"),
        ),
    ),
    Example(
        "the beginning of a path",
        """
        { Match { HTTP { PathPrefix = "/pre" } }
          Destination { Service = "api" } },
        """,
        (
            Ask(api, "/pre"),
            Ask(api, "/pre/fix"),
            Ask(api, "/prefix", method="POST"),
            Ask(web, "/PRE"),
            Ask(web, "/before/pre"),
        ),
    ),
    Example(
        "a whole path by a regular expression, the query not included",
        """
        { Match { HTTP { PathRegex = "/item/[0-9]+(/edit)?" } }
          Destination { Service = "api" } },
        """,
        (
            Ask(api, "/item/7"),
            Ask(api, "/item/42/edit"),
            Ask(api, "/item/7?full=yes"),
            Ask(web, "/item/x"),
            Ask(web, "/item/7/"),
            Ask(web, "/an/item/7"),
        ),
    ),
    Example(
        "paths in any case",
        """
        { Match { HTTP { PathExact = "/any/exact", CaseInsensitive = true } }
          Destination { Service = "api" } },
        { Match { HTTP { PathPrefix = "/any/pre", CaseInsensitive = true } }
          Destination { Service = "api" } },
        """,
        (
            Ask(api, "/any/exact"),
            Ask(api, "/ANY/Exact"),
            Ask(web, "/ANY/Exact/more"),
            Ask(api, "/Any/PREfix"),
        ),
    ),
    Example(
        "a header, or none",
        """
        { Match { HTTP { PathPrefix = "/h/present", Header = [{ Name = "x-h", Present = true }] } }
          Destination { Service = "api" } },
        { Match { HTTP {
            PathPrefix = "/h/absent", Header = [{ Name = "x-h", Present = true, Invert = true }] } }
          Destination { Service = "api" } },
        { Match { HTTP { PathPrefix = "/h/exact", Header = [{ Name = "x-h", Exact = "a" }] } }
          Destination { Service = "api" } },
        { Match { HTTP {
            PathPrefix = "/h/not-exact", Header = [{ Name = "x-h", Exact = "a", Invert = true }] } }
          Destination { Service = "api" } },
        { Match { HTTP { PathPrefix = "/h/begins", Header = [{ Name = "x-h", Prefix = "ab" }] } }
          Destination { Service = "api" } },
        { Match { HTTP { PathPrefix = "/h/ends", Header = [{ Name = "x-h", Suffix = "yz" }] } }
          Destination { Service = "api" } },
        { Match { HTTP { PathPrefix = "/h/regex", Header = [{ Name = "X-H", Regex = "a+b?" }] } }
          Destination { Service = "api" } },
        { Match { HTTP {
            PathPrefix = "/h/not-regex", Header = [{ Name = "x-h", Regex = "a+", Invert = true }] } }
          Destination { Service = "api" } },
        """,
        (
            Ask(api, "/h/present", {"x-h": "whatever"}),
            Ask(api, "/h/present", {"X-H": ""}),
            Ask(web, "/h/present"),
            Ask(api, "/h/absent"),
            Ask(web, "/h/absent", {"x-h": "whatever"}),
            Ask(api, "/h/exact", {"x-h": "a"}),
            Ask(web, "/h/exact", {"x-h": "A"}),
            Ask(web, "/h/exact", {"x-h": "ab"}),
            Ask(web, "/h/exact"),
            Ask(api, "/h/not-exact", {"x-h": "b"}),
            Ask(web, "/h/not-exact", {"x-h": "a"}),
            Ask(web, "/h/not-exact"),  # in Envoy, a header that is not there fails what compares its value
            Ask(api, "/h/begins", {"x-h": "abc"}),
            Ask(web, "/h/begins", {"x-h": "xab"}),
            Ask(api, "/h/ends", {"x-h": "xyz"}),
            Ask(web, "/h/ends", {"x-h": "yzx"}),
            Ask(api, "/h/regex", {"x-h": "aab"}),
            Ask(web, "/h/regex", {"x-h": "aabb"}),
            Ask(api, "/h/not-regex", {"x-h": "b"}),
            Ask(web, "/h/not-regex", {"x-h": "aa"}),
            Ask(web, "/h/not-regex"),
        ),
    ),
    Example(
        "a parameter of the query",
        """
        { Match { HTTP { PathPrefix = "/q/present", QueryParam = [{ Name = "q", Present = true }] } }
          Destination { Service = "api" } },
        { Match { HTTP { PathPrefix = "/q/exact", QueryParam = [{ Name = "q", Exact = "1" }] } }
          Destination { Service = "api" } },
        { Match { HTTP { PathPrefix = "/q/regex", QueryParam = [{ Name = "q", Regex = "[0-9]+" }] } }
          Destination { Service = "api" } },
        """,
        (
            Ask(api, "/q/present?q=1"),
            Ask(api, "/q/present?other=1&q"),
            Ask(web, "/q/present?p=1"),
            Ask(web, "/q/present"),
            Ask(api, "/q/exact?q=1"),
            Ask(web, "/q/exact?q=12"),
            Ask(api, "/q/regex?q=12"),
            Ask(web, "/q/regex?q=1a"),
        ),
    ),
    Example(
        "methods",
        """
        { Match { HTTP { PathPrefix = "/m", Methods = ["GET", "put"] } }
          Destination { Service = "api" } },
        """,
        (
            Ask(api, "/m"),
            Ask(api, "/m", method="PUT"),
            Ask(web, "/m", method="POST"),
            Ask(web, "/m", method="DELETE"),
        ),
    ),
    Example(
        "all conditions of a route must hold",
        """
        {
          Match { HTTP {
            PathPrefix = "/all"
            Header     = [{ Name = "x-a", Exact = "1" }, { Name = "x-b", Present = true }]
            QueryParam = [{ Name = "q", Exact = "1" }]
            Methods    = ["GET"]
          } }
          Destination { Service = "api" }
        },
        { Match { HTTP { Header = [{ Name = "x-anywhere", Exact = "yes" }] } }
          Destination { Service = "api" } },
        """,
        (
            Ask(api, "/all?q=1", {"x-a": "1", "x-b": "2"}),
            Ask(web, "/all?q=2", {"x-a": "1", "x-b": "2"}),
            Ask(web, "/all?q=1", {"x-a": "1"}),
            Ask(web, "/all?q=1", {"x-a": "2", "x-b": "2"}),
            Ask(web, "/all?q=1", {"x-a": "1", "x-b": "2"}, method="POST"),
            Ask(api, "/any/path/at/all", {"x-anywhere": "yes"}),
        ),
    ),
    Example(
        "the first route that matches decides, what none takes stays with the service itself",
        """
        { Match { HTTP { PathPrefix = "/order/special" } }
          Destination { Service = "api" } },
        { Match { HTTP { PathPrefix = "/order" } }
          Destination { Service = "admin" } },
        { Match { HTTP { PathExact = "/order/late" } }
          Destination { Service = "api" } },
        """,
        (
            Ask(api, "/order/special"),
            Ask(v1, "/order/other"),
            Ask(v1, "/order/late"),
            Ask(web, "/"),
            Ask(web, "/somewhere/else?q=1", method="PATCH"),
        ),
    ),
    Example(
        "where it goes: a service, a subset of it, its default subset, where it has moved to",
        """
        { Match { HTTP { PathPrefix = "/to/default" } }
          Destination { Service = "admin" } },
        { Match { HTTP { PathPrefix = "/to/v2" } }
          Destination { Service = "admin", ServiceSubset = "v2" } },
        { Match { HTTP { PathPrefix = "/to/none" } }
          Destination { Service = "admin", ServiceSubset = "none" } },
        { Match { HTTP { PathPrefix = "/to/old" } }
          Destination { Service = "old-admin" } },
        { Match { HTTP { PathPrefix = "/to/moved" } }
          Destination { Service = "moved" } },
        { Match { HTTP { PathPrefix = "/to/self" } }
          Destination { RequestTimeout = "9s" } },
        """,
        (
            Ask(v1, "/to/default"),
            Ask(v2, "/to/v2"),
            Ask(nobody, "/to/none", status=503),
            Ask(v2, "/to/old"),
            Ask(v2, "/to/moved"),
            Ask(web, "/to/self"),
        ),
    ),
    Example(
        "rewriting what a path begins with",
        """
        { Match { HTTP { PathPrefix = "/root" } }
          Destination { Service = "api", PrefixRewrite = "/" } },
        { Match { HTTP { PathPrefix = "/slash/" } }
          Destination { Service = "api", PrefixRewrite = "/" } },
        { Match { HTTP { PathPrefix = "/old" } }
          Destination { Service = "api", PrefixRewrite = "/new" } },
        { Match { HTTP { PathExact = "/one" } }
          Destination { Service = "api", PrefixRewrite = "/two" } },
        { Match { HTTP { PathPrefix = "/case", CaseInsensitive = true } }
          Destination { Service = "api", PrefixRewrite = "/" } },
        { Match { HTTP { PathPrefix = "/dots.and+more" } }
          Destination { Service = "api", PrefixRewrite = "/" } },
        """,
        (
            Ask(api, "/root", arrives_as="/"),
            Ask(api, "/root/", arrives_as="/"),
            Ask(api, "/root/x/y?q=1", arrives_as="/x/y?q=1"),
            Ask(api, "/root?q=1", arrives_as="/?q=1"),
            Ask(api, "/rootbeer", arrives_as="/beer"),
            Ask(api, "/slash/x", arrives_as="/x"),
            Ask(api, "/old/x?q=1", arrives_as="/new/x?q=1"),
            Ask(api, "/old", arrives_as="/new"),
            Ask(api, "/one", arrives_as="/two"),
            Ask(api, "/CASE/X", arrives_as="/X"),
            Ask(api, "/dots.and+more/x", arrives_as="/x"),
            Ask(web, "/dotsXandmore/x"),
        ),
    ),
    Example(
        "changing headers, on the way there and back",
        """
        {
          Match { HTTP { PathPrefix = "/change" } }
          Destination {
            Service = "api"
            RequestHeaders {
              Add    = { x-mine = "added", x-new = "added" }
              Set    = { x-set = "set" }
              Remove = ["x-gone"]
            }
            ResponseHeaders {
              Add    = { x-from-app = "2" }
              Set    = { x-from-route = "yes" }
              Remove = ["x-secret"]
            }
          }
        },
        """,
        (
            Ask(
                api,
                "/change",
                {"x-mine": "mine", "x-set": "mine", "x-gone": "mine"},
                app_sees={"x-mine": "mine, added", "x-new": "added", "x-set": "set", "x-gone": None},
                caller_sees={"x-from-app": "1, 2", "x-from-route": "yes", "x-secret": None},
            ),
            Ask(
                web,
                "/unchanged",
                {"x-mine": "mine", "x-gone": "mine"},
                app_sees={"x-mine": "mine", "x-gone": "mine", "x-set": None},
                caller_sees={"x-from-app": "1", "x-from-route": None, "x-secret": "1"},
            ),
        ),
    ),
    Example(
        "how long an answer may take, as a whole and in silence",
        """
        { Match { HTTP { PathPrefix = "/hurry" } }
          Destination { Service = "api", RequestTimeout = "300ms" } },
        { Match { HTTP { PathPrefix = "/talk" } }
          Destination { Service = "api", RequestTimeout = "30s", IdleTimeout = "300ms" } },
        { Match { HTTP { PathPrefix = "/patience" } }
          Destination { Service = "api", RequestTimeout = "30s" } },
        """,
        (
            Ask(api, "/hurry"),
            Ask(nobody, "/hurry", {"x-sleep": "1.5"}, status=504),
            Ask(api, "/talk"),
            Ask(nobody, "/talk", {"x-sleep": "1.5"}, status=504),
            Ask(api, "/patience", {"x-sleep": "0.6"}),
        ),
    ),
    Example(
        "trying again",
        """
        { Match { HTTP { PathPrefix = "/again/503" } }
          Destination { Service = "api", NumRetries = 2, RetryOnStatusCodes = [503] } },
        { Match { HTTP { PathPrefix = "/again/5xx" } }
          Destination { Service = "api", NumRetries = 3, RetryOn = ["5xx"] } },
        { Match { HTTP { PathPrefix = "/again/never" } }
          Destination { Service = "api" } },
        { Match { HTTP { PathPrefix = "/again/dead" } }
          Destination {
            Service = "api", ServiceSubset = "all", NumRetries = 5, RetryOnConnectFailure = true } },
        { Match { HTTP { PathPrefix = "/dead" } }
          Destination { Service = "api", ServiceSubset = "all" } },
        """,
        (
            Ask(api, "/again/503", {"x-fail": "2 503"}, attempts=3),
            Ask(api, "/again/503", {"x-fail": "3 503"}, status=503, attempts=3),
            Ask(api, "/again/503", {"x-fail": "1 500"}, status=500),
            Ask(api, "/again/5xx", {"x-fail": "3 500"}, attempts=4),
            Ask(api, "/again/5xx", {"x-fail": "1 404"}, status=404),
            Ask(api, "/again/never", {"x-fail": "1 503"}, status=503),
            *(Ask(api, f"/again/dead?{number}") for number in range(4)),
        ),
    ),
    Example(
        "a splitter behind a route",
        """
        { Match { HTTP { PathPrefix = "/half" } }
          Destination { Service = "half", RequestHeaders { Set = { x-route = "yes" } } } },
        """,
        (),
    ),
)


@dataclass(frozen=True)
class Answer:
    """What came back; ``told`` is what the application said, empty if none did."""

    status: int
    headers: httpx.Headers
    told: Mapping[str, Any]

    @property
    def who(self) -> str:
        return str(self.told.get("name", nobody))

    def app_saw(self, header: str) -> str | None:
        values = [value for name, value in self.told["headers"] if name == header]
        return ", ".join(values) if values else None


class Caller:
    """The application ``client``."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def ask(self, ask: Ask) -> Answer:
        headers = {**ask.headers, "x-key": str(uuid.uuid4())}
        response = await self._http.request(ask.method, ask.path, headers=headers)
        is_told = "x-from-app" in response.headers
        return Answer(response.status_code, response.headers, json.loads(response.content) if is_told else {})

    async def passes(self) -> bool:
        try:
            answers = [
                await self.ask(ask) for ask in (Ask(web, "/"), Ask(v1, "/to/default"), Ask(v2, "/to/v2"))
            ]
            answers += [await self.ask(Ask(api, "/exact"))]
        except httpx.HTTPError:
            return False
        return [answer.who for answer in answers] == [web, v1, v2, api]


def write_config(folder: Path, network: Network) -> None:
    places = {
        "network": network.prefix,
        "app_port": network.app_port,
        "sidecar_port": network.sidecar_port,
        "upstream_port": network.upstream_port,
    }
    folder.mkdir()
    services = Template((HERE / "services.hcl").read_text()).substitute(places)
    routes = "".join(example.routes for example in EXAMPLES)
    (folder / "services.hcl").write_text(services)
    (folder / "entries.hcl").write_text((HERE / "entries.hcl").read_text())
    (folder / "router.hcl").write_text(f'Kind = "service-router"\nName = "web"\nRoutes = [{routes}]\n')


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Caller]:
    """The mesh is up, and every service answers."""
    folder = tmp_path_factory.mktemp("routes")
    with claimed_network() as network:
        write_config(folder / "config", network)
        apps = [
            f"{network.host(each.host)}:{network.app_port}={f'{each.service} {each.version}'.strip()}"
            for each in INSTANCES
        ]
        async with (
            Processes(folder) as processes,
            Control(f"http://{network.host(SERVER_HOST)}:{network.http_port}") as control,
            httpx.AsyncClient(
                base_url=f"http://{network.host(CLIENT.host)}:{network.upstream_port}", trust_env=False
            ) as http,
        ):
            mesh = RunningMesh(folder, network, processes)
            await mesh.start_server()
            await processes.start("apps", sys.executable, str(HERE / "echo.py"), *apps)
            await mesh.wait(control.answers, 20, "the server answers")
            for each in INSTANCES:
                await mesh.start_envoy(find_envoy(), each)
            caller = Caller(http)
            await mesh.wait(caller.passes, 60, "every service answers")
            yield caller


@pytest.mark.parametrize(
    "ask", [pytest.param(ask, id=f"{each.title}: {ask}") for each in EXAMPLES for ask in each.asks]
)
async def test_route(caller: Caller, ask: Ask) -> None:
    answer = await caller.ask(ask)

    assert (answer.who, answer.status) == (ask.who, ask.status)
    assert {name: answer.headers.get(name) for name in ask.caller_sees} == ask.caller_sees
    if answer.told:
        assert (answer.told["method"], answer.told["path"]) == (ask.method, ask.arrives_as or ask.path)
        assert {name: answer.app_saw(name) for name in ask.app_sees} == ask.app_sees
        assert answer.told["attempts"] == ask.attempts


async def test_a_splitter_behind_a_route_sends_to_all_its_legs_each_with_its_headers(caller: Caller) -> None:
    answers = [await caller.ask(Ask("", "/half", {"x-mine": "mine"})) for _ in range(60)]

    by_leg = {answer.who: answer for answer in answers}
    assert set(by_leg) == {v1, v2}  # that one of them gets none of 60 requests has a chance of 1 in 10 ** 18
    seen = ("x-leg", "x-more", "x-mine", "x-route")
    assert [by_leg[v1].app_saw(name) for name in seen] == ["one", None, "mine", "yes"]
    assert [by_leg[v2].app_saw(name) for name in seen] == ["two", "two", None, "yes"]
    assert (by_leg[v1].headers.get("x-leg"), by_leg[v1].headers.get("x-secret")) == ("one", None)
    assert (by_leg[v2].headers.get("x-leg"), by_leg[v2].headers.get("x-secret")) == ("two", "1")


async def test_without_retries_an_instance_that_is_not_there_is_felt(caller: Caller) -> None:
    answers = [await caller.ask(Ask("", "/dead")) for _ in range(4)]

    assert {(answer.who, answer.status) for answer in answers} == {(api, 200), (nobody, 503)}

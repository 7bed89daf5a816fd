"""``xdsmesh chain``: from files alone, and from a server."""

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from xdsmesh.cli import app
from xdsmesh.cli.chain import refusal
from xdsmesh.cli.errors import CommandError

Run = Callable[..., subprocess.CompletedProcess[str]]
Call = Callable[..., Result]

DEFAULTS = 'Kind = "proxy-defaults"\nName = "global"\nConfig { protocol = "http" }\n'
ROUTER = """
Kind = "service-router"
Name = "web"
Routes = [
  {
    Match {
      HTTP {
        PathPrefix = "/admin"
        Header     = [{ Name = "x-debug", Present = true }, { Name = "x-v", Prefix = "2", Invert = true }]
        QueryParam = [{ Name = "q", Exact = "1" }]
        Methods    = ["get"]
      }
    }
    Destination {
      Service            = "admin"
      PrefixRewrite      = "/"
      RequestTimeout     = "5s"
      NumRetries         = 3
      RetryOnStatusCodes = [503]
      RequestHeaders { Set { x-a = "1" } }
    }
  },
  { Match { HTTP { PathExact = "/a", CaseInsensitive = true } }, Destination { Service = "admin" } },
]
"""
SPLITTER = """
Kind: service-splitter
Name: admin
Splits:
  - { Weight: 99.5, ServiceSubset: v1 }
  - { Weight: 0.5, ServiceSubset: v2, ResponseHeaders: { Remove: [x-b] } }
"""
RESOLVER = {
    "Kind": "service-resolver",
    "Name": "admin",
    "Subsets": {"v1": {"Filter": "Service.Meta.version == 1"}, "v2": {"OnlyPassing": True}},
    "Failover": {"v1": {"Datacenters": ["dc2"]}},
    "RequestTimeout": "9s",
    "LoadBalancer": {"Policy": "maglev", "HashPolicies": [{"Field": "header", "FieldValue": "x-user"}]},
}
REST = ("--files", "mesh/splitter.yml", "--files", "mesh/resolver.json")

TREE = """\
web  http; called from dc1
└── router web
    ├── 1. paths that begin with /admin, header x-debug is there, not header x-v begins with 2,\
 query q is 1, GET  rewritten to /; answer within 5s; retried 3 times on 503; set request header x-a: 1
    │   └── splitter admin  maglev by header x-user
    │       ├── 99.5%
    │       │   └── admin, subset v1  in dc1; only Service.Meta.version == 1; connect within 5s;\
 answer within 9s; maglev by header x-user
    │       │       └── if none is healthy: admin, subset v1  in dc2; only Service.Meta.version == 1
    │       └── 0.5%  remove response header x-b
    │           └── admin, subset v2  in dc1; only if passing; connect within 5s; answer within 9s;\
 maglev by header x-user
    ├── 2. path /a in any case
    │   └── splitter admin  as above
    └── 3. every request
        └── web  in dc1; connect within 5s
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mesh").mkdir()
    files = {
        "mesh/defaults.hcl": DEFAULTS,
        "mesh/router.hcl": ROUTER,
        "mesh/splitter.yml": SPLITTER,
        "mesh/resolver.json": json.dumps(RESOLVER),
        "mesh/notes.txt": "no config",
        "mesh/.draft.hcl": "no config",
        "typo.hcl": 'Kind = "service-defaults"\nName = "web"\nProtokol = "http"\n',
        "again.hcl": DEFAULTS,
        "empty.json": "[]",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def call(environment: dict[str, str]) -> Call:
    def run(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(app, ["chain", *arguments], env=environment, input=stdin)

    return run


def chain_of(result: Result) -> dict[str, Any]:
    assert (result.exit_code, result.stderr) == (0, "")
    chain: dict[str, Any] = json.loads(result.stdout)["Chain"]
    return chain


def error_of(result: Result) -> tuple[str, str]:
    """The code and the message with which a chain was refused in JSON."""
    assert (result.exit_code, result.stderr) == (1, "")
    told = json.loads(result.stdout)
    assert list(told) == ["Error"]
    assert list(told["Error"]) == ["Code", "Message"]
    return told["Error"]["Code"], told["Error"]["Message"]


def test_a_folder_is_drawn_as_a_tree(xdsmesh: Run) -> None:
    result = xdsmesh("chain", "web", "--files", "mesh")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == TREE


@pytest.mark.parametrize(
    "paths",
    [
        ("--files", "mesh"),
        ("--files", "mesh", "--files", "mesh/router.hcl", "--files", "./mesh"),
        ("--files", "mesh/router.hcl", "--files", "mesh/defaults.hcl", *REST),
        ("--files", "mesh/router.hcl", "mesh/defaults.hcl", "mesh/splitter.yml", "mesh/resolver.json"),
    ],
)
def test_files_are_named_one_by_one_or_by_their_folder_and_count_once(
    call: Call, paths: tuple[str, ...]
) -> None:
    chain = chain_of(call("web", *paths, "--format", "json"))
    assert chain["StartNode"] == "router:web.default.default"
    assert set(chain["Targets"]) == {
        "web.default.default.dc1",
        "v1.admin.default.default.dc1",
        "v1.admin.default.default.dc2",
        "v2.admin.default.default.dc1",
    }


def test_a_service_that_no_file_mentions_has_a_chain(call: Call) -> None:
    chain = chain_of(call("other", "--files", "empty.json", "--format", "json"))
    assert (chain["Protocol"], chain["Default"]) == ("tcp", True)
    assert call("other", "--files", "empty.json").stdout.splitlines() == [
        "other  tcp; called from dc1; no entry shapes it",
        "└── other  in dc1; connect within 5s",
    ]


def test_entries_come_from_standard_input_too(call: Call) -> None:
    chain = chain_of(call("web", "--files", "-", "--format", "json", stdin=DEFAULTS))
    assert chain["Protocol"] == "http"


def test_the_place_and_the_overrides_shape_the_chain(call: Call) -> None:
    place = ("--datacenter", "dc7", "--trust-domain", "t.consul")
    overrides = ("--override-protocol", "HTTP2", "--override-mesh-gateway", "remote")
    timeout = ("--override-connect-timeout", "250ms")
    arguments = ("web", "--files", "mesh/defaults.hcl", *place, *overrides, *timeout)
    chain = chain_of(call(*arguments, "--format", "json"))
    (target,) = chain["Targets"].values()
    assert (chain["Datacenter"], chain["Protocol"]) == ("dc7", "http2")
    assert len(chain["CustomizationHash"]) == 8
    assert target["SNI"] == "web.default.dc7.internal.t.consul"
    assert (target["MeshGateway"], target["ConnectTimeout"]) == ({"Mode": "remote"}, "250ms")
    tree = call(*arguments).stdout
    assert f"overridden ({chain['CustomizationHash']})" in tree
    assert "mesh gateway remote; connect within 250ms" in tree


def test_no_rule_of_writing_is_applied(call: Call, folder: Path) -> None:
    splitter = {"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 1}, {"Weight": 2}]}
    (folder / "odd.json").write_text(json.dumps([splitter]))
    paths = ("--files", "odd.json", "--files", "mesh/defaults.hcl")
    chain = chain_of(call("web", *paths, "--format", "json"))
    assert [split["Weight"] for split in chain["Nodes"]["splitter:web.default.default"]["Splits"]] == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["web", "--files", "mesh/router.hcl"], "l4-advanced-routing", "web"),
        (["admin", "--files", "mesh/splitter.yml", "--files", "again.hcl"], "missing-subset", "v1"),
        (["web", "--files", "absent.hcl"], "input", "absent.hcl: XM0108 cannot be read: No such file"),
        (["web", "--files", "typo.hcl"], "input", "typo.hcl:3:1: "),
        (["web", "--files", "mesh/notes.txt"], "input", "files end in .hcl"),
        (
            ["web", "--files", "mesh", "--files", "again.hcl"],
            "input",
            "proxy-defaults/global is declared twice",
        ),
        (["web", "--files", "mesh", "--override-mesh-gateway", "far"], "input", '"far" is not a mode'),
        (["web", "--files", "mesh", "--override-connect-timeout", "5"], "input", "'5' is not a duration"),
        (["web", "--files", "mesh", "--override-connect-timeout", "-1s"], "input", "can't be -1s"),
        (["", "--files", "mesh"], "input", "service"),
        (["web", "--files", "mesh", "--datacenter", ""], "input", "datacenter"),
        (["web", "--files", "mesh", "--trust-domain", ""], "input", "trust domain"),
    ],
)
def test_why_there_is_no_chain_has_a_code(call: Call, arguments: list[str], code: str, message: str) -> None:
    told = error_of(call(*arguments, "--format", "json"))
    assert told[0] == code
    assert message in told[1]
    assert call(*arguments).stdout == ""


def test_a_person_is_told_on_standard_error(xdsmesh: Run) -> None:
    result = xdsmesh("chain", "web", "--files", "mesh/router.hcl")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("l4-advanced-routing: ")


def test_all_that_is_wrong_is_told_at_once(call: Call) -> None:
    files = ("--files", "absent.hcl", "--files", "typo.hcl")
    overrides = ("--override-mesh-gateway", "far", "--override-connect-timeout", "soon")
    _, message = error_of(call("web", *files, *overrides, "--format", "json"))
    assert [line.split(":")[0].split()[0] for line in message.splitlines()] == [
        '"far"',
        "the",
        "absent.hcl",
        "typo.hcl",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument 'SERVICE'"),
        (["web", "mesh/router.hcl"], "go with --files"),
        (["web", "--trust-domain", "t.consul"], "go with --files"),
        (["web", "--files", "mesh", "--format", "xml"], "--format"),
    ],
)
def test_wrong_usage(call: Call, arguments: list[str], said: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.fixture
def ask(api: str, environment: dict[str, str]) -> Callable[..., Awaitable[Result]]:
    """Run a command against the API that this test's event loop serves."""

    async def run(*arguments: str) -> Result:
        env = {**environment, "XDSMESH_HTTP_ADDR": api}
        return await asyncio.to_thread(CliRunner().invoke, app, arguments, env=env)

    return run


async def test_a_server_is_asked_for_the_same_chain(
    call: Call, ask: Callable[..., Awaitable[Result]]
) -> None:
    files = ("defaults.hcl", "router.hcl", "splitter.yml", "resolver.json")
    written = await ask("config", "write", *(f"mesh/{name}" for name in files))
    assert written.exit_code == 0, written.stderr
    assert (await ask("chain", "web")).stdout == TREE
    overrides = ("--override-protocol", "tcp", "--override-connect-timeout", "1s", "--datacenter", "dc9")
    chain = chain_of(await ask("chain", "web", *overrides, "--format", "json"))
    offline = chain_of(call("web", "--files", "mesh", *overrides, "--format", "json"))
    for each in (chain, offline):  # the trust domains differ
        for target in each["Targets"].values():
            del target["SNI"], target["Name"]
    assert chain == offline
    assert chain["Protocol"] == "tcp"


async def test_a_server_that_refuses_is_told_in_the_same_way(ask: Callable[..., Awaitable[Result]]) -> None:
    code, message = error_of(await ask("chain", "web", "--override-mesh-gateway", "far", "--format", "json"))
    assert code == "input"
    assert "far" in message
    result = await ask("chain", "web", "--override-connect-timeout", "soon")
    assert isinstance(result.exception, CommandError)
    assert str(result.exception).startswith("input: ")


def test_json_is_json_also_where_no_server_is(call: Call) -> None:
    nowhere = ("web", "--http-addr", "127.0.0.1:1")
    code, message = error_of(call(*nowhere, "--format", "json"))
    assert code == "input"
    assert message.startswith("cannot reach a server")
    assert str(call(*nowhere).exception) == message


@pytest.mark.parametrize(
    ("told", "code", "message"),
    [
        (
            "service-router/web: l4-advanced-routing: chain: no\nmore",
            "l4-advanced-routing",
            "chain: no\nmore",
        ),
        ("missing-subset: there is no v9", "missing-subset", "there is no v9"),
        ("Invalid wait time", "input", "Invalid wait time"),
    ],
)
def test_the_code_is_read_out_of_what_a_server_told(told: str, code: str, message: str) -> None:
    assert refusal(told) == {"Error": {"Code": code, "Message": message}}


def test_services_and_checks_beside_the_entries_do_not_disturb(call: Call, folder: Path) -> None:
    check = 'check {\n  name = "c"\n  service_id = "web"\n  ttl = "1s"\n}\n'
    (folder / "mesh" / "web.hcl").write_text(f'service {{ name = "web" }}\n{check}')
    assert chain_of(call("web", "--files", "mesh", "--format", "json"))["ServiceName"] == "web"

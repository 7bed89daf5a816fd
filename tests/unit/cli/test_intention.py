"""``xdsmesh intention`` against the real HTTP API."""

import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import Result

from xdsmesh.cli.errors import CommandError

Call = Callable[..., Awaitable[Result]]

INTENTION = {"SourceName": "web", "DestinationName": "api", "Action": "deny", "Description": "for now"}
L7 = """\
- { Kind: service-defaults, Name: api, Protocol: http }
- Kind: service-intentions
  Name: api
  Sources: [{ Name: web, Permissions: [{ Action: allow, HTTP: { Methods: [GET] } }] }]
"""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The server is in the same process; what it logs is not what the command prints."""
    with capture_logs():
        yield


async def printed(running: Awaitable[Result]) -> str:
    """What a command printed that was done."""
    result = await running
    assert (result.exit_code, result.exception) == (0, None)
    return result.stdout


async def refused(running: Awaitable[Result]) -> str:
    """The complaint with which a command ended; what `main` prints before it exits 1."""
    result = await running
    assert isinstance(result.exception, CommandError)
    return str(result.exception)


async def test_an_intention_is_created_shown_listed_and_deleted(call: Call) -> None:
    created = await call("intention", "create", "-deny", "web", "db")
    assert (created.exit_code, created.stdout) == (0, "Created: web => db (deny)\n")
    assert not created.stderr
    assert await printed(call("intention", "create", "*", "db")) == "Created: * => db (allow)\n"

    assert await printed(call("intention", "get", "web", "db")) == (
        "Source:      web\nDestination: db\nAction:      deny\n"
    )
    listed = (await printed(call("intention", "list"))).splitlines()
    assert [line.split() for line in listed] == [
        ["ID", "SOURCE", "ACTION", "DESTINATION", "PRECEDENCE"],
        ["web", "deny", "db", "9"],
        ["*", "allow", "db", "8"],
    ]
    shown = json.loads(await printed(call("intention", "get", "web", "db", "--format", "json")))
    assert json.loads(await printed(call("intention", "list", "--format", "json")))[0] == shown

    for source in ("web", "*"):
        assert await printed(call("intention", "delete", source, "db")) == "Intention deleted.\n"
    assert (await refused(call("intention", "get", "web", "db"))).startswith("Intention not found")


async def test_writes_wait_for_the_proxies_when_asked(call: Call) -> None:
    waited = "No connected proxy is affected.\n"
    created = await printed(call("intention", "create", "web", "db", "--wait"))
    assert created == f"Created: web => db (allow)\n{waited}"
    shown = json.loads(await printed(call("intention", "check", "web", "db", "-format", "json")))
    assert (shown["Allowed"], shown["Class"], shown["Rule"]) == (True, "intention", "web => db (allow)")
    assert (
        await printed(call("intention", "delete", "web", "db", "--wait")) == f"Intention deleted.\n{waited}"
    )


async def test_an_empty_list_exits_2(call: Call) -> None:
    result = await call("intention", "list")
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", "There are no intentions.\n")


async def test_what_there_is_already_is_only_replaced_when_asked(call: Call) -> None:
    await printed(call("intention", "create", "web", "db"))
    assert "--replace" in await refused(call("intention", "create", "-deny", "web", "db"))
    assert (await printed(call("intention", "check", "web", "db"))).startswith("Allowed\n")
    await printed(call("intention", "create", "-replace", "-deny", "web", "db"))
    assert (await call("intention", "check", "web", "db")).stdout.startswith("Denied\n")


async def test_a_check_answers_by_its_exit_code(call: Call) -> None:
    await printed(call("intention", "create", "-deny", "web", "db"))
    denied = "Denied\nweb => db is denied by the intention web => db\n"
    allowed = "Allowed\ncron => db is allowed by the default policy, as no intention is about it\n"
    for source, code, said in (("web", 1, denied), ("cron", 0, allowed)):
        result = await call("intention", "check", source, "db")
        assert (result.exit_code, result.stdout, result.stderr) == (code, said, "")
    for arguments in (("other/web", "db"), ("web", "db", "--http-addr", "127.0.0.1:1")):
        result = await call("intention", "check", *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr


async def test_a_check_of_a_request_names_the_permission(call: Call, tmp_path: Path) -> None:
    (tmp_path / "l7.yaml").write_text(L7.replace("Methods: [GET]", "Header: [{ Name: x-a, Exact: b=c }]"))
    await printed(call("config", "write", "l7.yaml"))
    for header in ("x-a=b=c", "X-A: b=c", "x-a:b=c"):
        allowed = await printed(
            call("intention", "check", "web", "api", "--header", header, "-header", "x=y")
        )
        assert allowed == "Allowed\nweb => api is allowed by permission 1 of the intention web => api\n"
    other = await call("intention", "check", "web", "api", "--method", "PUT", "--path", "/a?b")
    assert other.stdout.startswith("Allowed\nweb => api is allowed by the default policy, as no permission")
    assert (await call("intention", "check", "web", "api")).stdout.startswith(
        "Denied\nweb => api is denied as"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("web", "api", "--header", "x-a"), "NAME=VALUE"),
        (("web", "api", "--header", "=a"), "NAME=VALUE"),
        (("web", "api", "--path", "a"), 'a path begins with "/"'),
        (("web", "db", "--path", "/"), "db speaks tcp"),
        (("web",), "DST"),
    ],
)
async def test_a_wrong_question_exits_2(
    call: Call, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "l7.yaml").write_text(L7)
    await printed(call("config", "write", "l7.yaml"))
    result = await call("intention", "check", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


async def test_matches_are_in_the_order_of_evaluation(call: Call, tmp_path: Path) -> None:
    (tmp_path / "l7.yaml").write_text(L7)
    await printed(call("config", "write", "l7.yaml"))
    await printed(call("intention", "create", "-deny", "*", "*"))
    by_destination = "web => api (1 permission)\n* => * (deny)\n"
    assert await printed(call("intention", "match", "api")) == by_destination
    assert await printed(call("intention", "match", "-destination", "api")) == by_destination
    assert await printed(call("intention", "match", "-source", "cron")) == "* => * (deny)\n"
    found = json.loads(await printed(call("intention", "match", "default/api", "--format", "json")))
    assert [each["SourceName"] for each in found] == ["web", "*"]
    shown = await printed(call("intention", "get", "web", "api"))
    assert json.loads(shown.partition("Permissions:\n")[2])[0]["HTTP"] == {"Methods": ["GET"]}
    assert "Action:" not in shown


async def test_a_meta_is_that_of_the_destination(call: Call) -> None:
    await printed(call("intention", "create", "-meta", "team=pay", "-meta", "a=b", "web", "db"))
    await printed(call("intention", "create", "-meta", "team=pay", "-meta", "a=b", "cron", "db"))
    said = await refused(call("intention", "create", "-meta", "team=other", "other", "db"))
    assert "Meta must not be specified" in said
    assert "Meta[team]:  pay" in await printed(call("intention", "get", "cron", "db"))


async def test_intentions_are_read_from_files(call: Call, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(INTENTION))
    text = json.dumps({**INTENTION, "SourceName": "cron"})
    assert await printed(call("intention", "create", "-file", "one.json", "-", stdin=text)) == (
        "Created: web => api (deny)\nCreated: cron => api (deny)\n"
    )
    assert "Description: for now" in await printed(call("intention", "get", "web", "api"))


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "is no JSON"), ("[]", "is no intention"), ('{"SourceName": "a"}', "DestinationName")],
)
async def test_what_is_no_intention_is_refused_with_its_file(
    call: Call, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "good.json").write_text(json.dumps(INTENTION))
    (tmp_path / "bad.json").write_text(text)
    complaint = await refused(call("intention", "create", "-file", "good.json", "bad.json"))
    assert complaint.startswith("bad.json: ")
    assert said in complaint
    assert "cannot be read" in await refused(call("intention", "create", "-file", "absent.json"))
    assert (await call("intention", "list")).exit_code == 2

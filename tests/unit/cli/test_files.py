import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from xdsmesh.cli.files import (
    check_body,
    entries_of,
    entry_body,
    parsed_files,
    registrations_of,
    service_body,
    service_ids,
    services_of,
)
from xdsmesh.model.errors import RefusedError

Run = Callable[..., subprocess.CompletedProcess[str]]

DEFAULTS = 'Kind = "service-defaults"\nName = "web"\nProtocol = "http"\n'
ROUTER = 'Kind = "service-router"\nName = "web"\nRoutes = [{ Destination { Service = "admin" } }]\n'
SERVICE = 'service {\n  name = "web"\n  id = "web-1"\n  port = 8080\n  connect { sidecar_service {} }\n}\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    files = {
        "router.hcl": ROUTER,
        "defaults.hcl": DEFAULTS,
        "web.hcl": SERVICE,
        "typo.hcl": 'Kind = "service-defaults"\nName = "web"\nProtokol = "http"\n',
        "empty.hcl": "",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_entries_are_sent_after_what_they_refer_to() -> None:
    entries = entries_of(["router.hcl", "defaults.hcl"])
    assert [each.value.KIND for each in entries] == ["service-defaults", "service-router"]
    assert json.loads(entry_body(entries[0].value)) == {
        "Kind": "service-defaults",
        "Name": "web",
        "Protocol": "http",
    }


def test_a_service_keeps_its_wish_for_a_sidecar() -> None:
    [service] = services_of(["web.hcl"])
    body = json.loads(service_body(service.value))
    assert (body["ID"], body["Name"], body["Port"]) == ("web-1", "web", 8080)
    assert body["Connect"] == {"SidecarService": {}}


def test_the_problems_of_all_files_are_told_at_once_with_their_places() -> None:
    with pytest.raises(RefusedError) as refused:
        entries_of(["router.hcl", "typo.hcl", "absent.hcl", "empty.hcl", "web.hcl", "notes.txt"])
    lines = sorted(str(refused.value).splitlines())
    assert [line.split(": ")[0] for line in lines] == [
        "absent.hcl",
        "empty.hcl",
        "notes.txt",
        "typo.hcl:3:1",
        "web.hcl:1:1",
    ]
    assert "did you mean Protocol?" in lines[3]
    assert "xdsmesh services register" in lines[4]


def test_an_entry_where_services_belong_is_refused() -> None:
    with pytest.raises(RefusedError, match="xdsmesh config write"):
        services_of(["web.hcl", "router.hcl"])


def test_a_check_is_no_config_entry() -> None:
    Path("disk.hcl").write_text('check { name = "disk", ttl = "1m" }')
    with pytest.raises(RefusedError, match=r"disk.hcl:1:1: XM0201 a check is no config entry"):
        entries_of(["disk.hcl"])


def test_checks_are_read_beside_services_and_each_once() -> None:
    Path("disk.hcl").write_text('check { name = "disk", ttl = "1m" }')
    found = registrations_of(["web.hcl", "disk.hcl"])
    assert [each.value.name for each in found.services] == ["web"]
    assert json.loads(check_body(found.checks[0].value)) == {"Name": "disk", "TTL": "1m0s"}
    Path("again.hcl").write_text('check { id = "disk", name = "d", ttl = "1m" }')
    said = r"again.hcl:1:1: XM0408 check disk is declared twice \(the other one is at disk.hcl:1:1\)"
    with pytest.raises(RefusedError, match=said):
        registrations_of(["disk.hcl", "again.hcl"])


def test_what_is_deregistered_is_named_by_id_or_by_file() -> None:
    Path("web").write_text("a file whose name has no ending is an id")
    assert service_ids(["web", "web.hcl", "db-1"]) == ["web", "web-1", "db-1"]


def test_nothing_is_written_if_one_file_is_wrong(xdsmesh: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        result = xdsmesh("config", "write", "defaults.hcl", "typo.hcl", "--http-addr", f"{host}:{port}")
        listener.setblocking(False)  # noqa: FBT003 - the socket API has it positional
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert result.returncode == 1
    assert result.stderr.startswith("typo.hcl:3:1: ")


def test_a_folder_is_its_config_files_and_what_is_named_twice_counts_once(folder: Path) -> None:
    (folder / "notes.txt").write_text("no config")
    (folder / ".draft.hcl").write_text("no config")
    (folder / "sub.hcl").mkdir()
    names = ["defaults.hcl", "empty.hcl", "router.hcl", "typo.hcl", "web.hcl"]
    assert list(parsed_files(["."])) == names
    assert list(parsed_files(["router.hcl", ".", str(folder / "web.hcl")])) == [
        "router.hcl",
        "defaults.hcl",
        "empty.hcl",
        "typo.hcl",
        str(folder / "web.hcl"),
    ]


@pytest.mark.parametrize("name", ["absent.hcl", "", "a\0b.hcl", "\udcff.hcl", "router.hcl/x.hcl"])
def test_what_is_no_file_is_a_problem_that_can_be_printed(name: str) -> None:
    (file,) = parsed_files([name]).values()
    (problem,) = file.problems
    assert str(problem).isprintable()
    assert problem.code == "XM0108"


def test_a_link_to_itself_is_a_problem() -> None:
    Path("loop.hcl").symlink_to("loop.hcl")
    (file,) = parsed_files(["loop.hcl"]).values()
    assert [problem.code for problem in file.problems] == ["XM0108"]


def test_a_file_without_an_end_is_too_long() -> None:
    Path("zero.json").symlink_to("/dev/zero")
    (file,) = parsed_files(["zero.json"]).values()
    assert [problem.code for problem in file.problems] == ["XM0101"]

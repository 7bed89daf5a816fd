"""The config folder: what its files declare holds, edits are followed, broken edits change nothing."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SPLITTER = """\
Kind = "service-splitter"
Name = "admin"
Splits = [
  {
    Weight = 10
    ServiceSubset = "v2"
  },
  {
    Weight = 90
    ServiceSubset = "v1"
  },
]
"""
RESOLVER = """\
Kind = "service-resolver"
Name = "admin"
DefaultSubset = "v1"
Subsets = {
  "v1" = {
    Filter = "Service.Meta.version == 1"
  },
  "v2" = {
    Filter = "Service.Meta.version == 2"
  },
}
"""
HTTP = 'Kind = "proxy-defaults"\nName = "global"\nConfig { protocol = "http" }\n'
WEB = 'service {\n  id = "web-1"\n  name = "web"\n  port = 80\n  connect { sidecar_service {} }\n}\n'
DEV = ("--dev", "--config-dir")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.mkdir()
    files = {"splitter.hcl": SPLITTER, "resolver.hcl": RESOLVER, "http.hcl": HTTP, "web.hcl": WEB}
    for name, text in files.items():
        (path / name).write_text(text)
    return path


def weights(server: Any) -> list[float]:
    return [
        split["Weight"] for split in server.http.get("/v1/config/service-splitter/admin").json()["Splits"]
    ]


def test_files_declare_services_and_entries_in_any_order(start: Callable[..., Any], folder: Path) -> None:
    server = start(*DEV, str(folder))
    assert weights(server) == [10, 90]
    assert set(server.http.get("/v1/agent/services").json()) == {"web-1", "web-1-sidecar-proxy"}


def test_an_edit_is_followed_and_a_deleted_file_takes_its_entries_along(
    start: Callable[..., Any], folder: Path
) -> None:
    server = start(*DEV, str(folder))
    (folder / "splitter.hcl").write_text(SPLITTER.replace("= 10", "= 50").replace("= 90", "= 50"))
    server.wait(lambda: weights(server) == [50, 50], "the edit is in force")

    (folder / "web.hcl").unlink()
    server.wait(lambda: server.http.get("/v1/agent/services").json() == {}, "the service is gone")


def test_a_broken_edit_keeps_the_last_good_state_and_names_every_mistake(
    start: Callable[..., Any], folder: Path
) -> None:
    server = start(*DEV, str(folder))
    broken = SPLITTER.replace("= 90", "= 80").replace("ServiceSubset", "ServiceSubst", 1)
    (folder / "splitter.hcl").write_text(broken)
    refused = "config folder refused: the last good state stays"
    server.wait(lambda: server.events(refused), "the edit is refused")

    problems = " ".join(event["problem"] for event in server.events(refused))
    assert f"{folder}/splitter.hcl:6:5" in problems
    assert "ServiceSubset" in problems
    assert weights(server) == [10, 90]

    (folder / "splitter.hcl").write_text(SPLITTER.replace("= 10", "= 20").replace("= 90", "= 80"))
    server.wait(lambda: weights(server) == [20, 80], "the corrected edit is in force")


def test_an_edit_that_would_break_a_chain_is_refused_with_its_place(
    start: Callable[..., Any], folder: Path
) -> None:
    server = start(*DEV, str(folder))
    (folder / "http.hcl").unlink()
    refused = "config folder refused: the last good state stays"
    server.wait(lambda: server.events(refused), "the edit is refused")
    problem = server.events(refused)[0]["problem"]
    assert problem.startswith(f"{folder}/splitter.hcl:1:1: ")
    assert "does not permit advanced routing" in problem


def test_a_first_start_with_broken_files_ends_with_all_their_problems(
    start: Callable[..., Any], folder: Path
) -> None:
    (folder / "web.hcl").write_text(WEB.replace("port", "prot"))
    (folder / "resolver.hcl").write_text(RESOLVER.replace('DefaultSubset = "v1"', 'DefaultSubset = "v9"'))
    server = start(*DEV, str(folder), ready=False)
    assert server.process.wait(20) == 1
    output = server.output()
    assert f"{folder}/web.hcl:4:3: " in output
    assert f"{folder}/resolver.hcl:3:" in output
    assert "Traceback" not in output


def test_what_a_file_declares_the_api_may_not_change(start: Callable[..., Any], folder: Path) -> None:
    server = start(*DEV, str(folder))
    entry = {"Kind": "service-splitter", "Name": "admin", "Splits": [{"Weight": 100, "ServiceSubset": "v1"}]}
    for answer in (
        server.http.put("/v1/config", json=entry),
        server.http.delete("/v1/config/service-splitter/admin"),
    ):
        assert answer.status_code == 409
        assert f"{folder}/splitter.hcl:1:1" in answer.text
    answer = server.http.put("/v1/agent/service/deregister/web-1")
    assert answer.status_code == 409
    assert f"{folder}/web.hcl:1:1" in answer.text
    assert weights(server) == [10, 90]


def test_a_file_may_not_declare_what_the_api_wrote(start: Callable[..., Any], folder: Path) -> None:
    server = start(*DEV, str(folder))
    server.http.put(
        "/v1/agent/service/register", json={"ID": "api-1", "Name": "api", "Port": 81}
    ).raise_for_status()
    (folder / "api.hcl").write_text('service {\n  id = "api-1"\n  name = "api"\n  port = 99\n}\n')
    refused = "config folder refused: the last good state stays"
    server.wait(lambda: server.events(refused), "the file is refused")
    assert (
        f"{folder}/api.hcl:1:1: XM0501 service api-1 was written through the API"
        in server.events(refused)[0]["problem"]
    )
    assert server.http.get("/v1/agent/service/api-1").json()["Port"] == 81


def test_a_file_that_was_refused_is_tried_again_when_the_world_has_changed(
    start: Callable[..., Any], folder: Path
) -> None:
    server = start(*DEV, str(folder))
    entry = {"Kind": "service-defaults", "Name": "web", "Protocol": "http"}
    server.http.put("/v1/config", json=entry).raise_for_status()
    (folder / "web-defaults.hcl").write_text('Kind = "service-defaults"\nName = "web"\nProtocol = "http2"\n')
    refused = "config folder refused: the last good state stays"
    server.wait(lambda: server.events(refused), "the file is refused")

    server.http.delete("/v1/config/service-defaults/web").raise_for_status()

    def in_force() -> bool:
        answer = server.http.get("/v1/config/service-defaults/web")
        return bool(answer.is_success and answer.json()["Protocol"] == "http2")

    server.wait(in_force, "the file is taken")
    assert len(server.events(refused)) == 1, "the same problem is said once"


OTHER = 'Kind = "service-defaults"\nName = "other"\nProtocol = "http"\n'


def test_a_file_whose_name_is_no_text_is_refused_by_name(start: Callable[..., Any], folder: Path) -> None:
    server = start(*DEV, str(folder))
    loaded = "config folder loaded"
    (folder / "one.hcl").write_text(OTHER)
    server.wait(lambda: len(server.events(loaded)) > 1, "the folder is followed")
    bad = Path(os.fsdecode(os.fsencode(folder) + b"/\xff.hcl"))
    bad.write_text(WEB)
    refused = "config folder refused: the last good state stays"
    server.wait(lambda: server.events(refused), "the file is refused")
    assert "rename it" in server.events(refused)[0]["problem"]
    assert weights(server) == [10, 90]
    bad.unlink()
    (folder / "one.hcl").write_text(OTHER.replace("http", "grpc"))
    server.wait(lambda: len(server.events(loaded)) > 2, "the folder is still followed")


def many(letter: str) -> str:
    body = f'name = "{letter}"\n  port = 1\n  connect {{ sidecar_service {{}} }}\n'
    return "".join(f'service {{\n  id = "{letter}{number}"\n  {body}}}\n' for number in range(200))


def test_ports_of_sidecars_come_back_when_their_files_go(start: Callable[..., Any], folder: Path) -> None:
    (folder / "many.hcl").write_text(many("a"))
    server = start(*DEV, str(folder))
    for letter in ("b", "c"):
        (folder / "many.hcl").write_text(many(letter))
        server.wait(
            lambda last=f"{letter}199": last in server.http.get("/v1/agent/services").json(), "they changed"
        )


def test_a_port_that_a_file_names_is_given_to_no_other_sidecar(
    start: Callable[..., Any], folder: Path
) -> None:
    (folder / "web.hcl").write_text(WEB.replace("sidecar_service {}", "sidecar_service { port = 21000 }"))
    server = start(*DEV, str(folder))
    body = {"Name": "z", "Port": 80, "Connect": {"SidecarService": {}}}
    server.http.put("/v1/agent/service/register", json=body).raise_for_status()
    assert server.http.get("/v1/agent/service/z-sidecar-proxy").json()["Port"] == 21001


def test_a_filter_that_selects_nothing_that_instances_have_is_accepted_with_a_warning(
    start: Callable[..., Any], folder: Path
) -> None:
    (folder / "resolver.hcl").write_text(RESOLVER.replace("Service.Meta.version == 2", "Service.Prot == 2"))
    server = start(*DEV, str(folder))
    (warning,) = server.events("accepted, but look again")
    assert 'service-resolver/admin: subset "v2" gets no instances: ' in warning["warning"]
    assert "Service.Port" in warning["warning"]

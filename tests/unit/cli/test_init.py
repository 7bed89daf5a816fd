"""``xdsmesh init``: the files for services that a person names."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
ASKED = ("--service", "web:8080", "--service", "api:9090", "--upstream", "web:api:9191")

Run = Callable[..., subprocess.CompletedProcess[str]]


def compose_of(folder: Path) -> Any:
    return yaml.safe_load((folder / "my-mesh" / "compose.yaml").read_text())


@pytest.mark.parametrize("kind", ["compose", "systemd"])
def test_what_the_control_plane_will_read_is_valid(xdsmesh: Run, kind: str) -> None:
    assert xdsmesh("init", kind, *ASKED).returncode == 0
    result = xdsmesh("validate", "my-mesh/mesh")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "2 entries, 2 services in 4 files: fine\n"


@pytest.mark.parametrize("kind", ["compose", "systemd"])
def test_no_file_is_replaced_and_those_that_are_there_are_named(
    xdsmesh: Run, tmp_path: Path, kind: str
) -> None:
    theirs = tmp_path / "my-mesh" / "mesh" / "service-web.hcl"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    result = xdsmesh("init", kind, *ASKED)
    assert result.returncode == 1
    assert "my-mesh/mesh/service-web.hcl: is there already" in result.stderr
    assert "name another folder with --out" in result.stderr
    assert [each for each in (tmp_path / "my-mesh").rglob("*") if each.is_file()] == [theirs]
    assert theirs.read_text() == "mine"


def test_nothing_is_written_when_something_is_wrong(xdsmesh: Run, tmp_path: Path) -> None:
    result = xdsmesh("init", "compose", "--service", "web", "--upstream", "web:api:1")
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 2
    assert not (tmp_path / "my-mesh").exists()


def test_a_folder_that_can_not_be_written_is_named(xdsmesh: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = xdsmesh("init", "systemd", *ASKED, "--out", "file/folder")
    assert result.returncode == 1
    assert result.stderr.startswith("cannot write file/folder")


def test_each_service_is_two_containers_alone_in_a_network(xdsmesh: Run, tmp_path: Path) -> None:
    image = ("--image", "api=registry.example:5000/api:v1@sha256:0123", "--publish", "web:8000")
    assert xdsmesh("init", "compose", *ASKED, *image).returncode == 0
    services = compose_of(tmp_path)["services"]
    assert set(services) == {
        "operator",
        "control-plane",
        "tokens",
        "web",
        "web-envoy",
        "api",
        "api-envoy",
    }
    for name in ("web", "api"):
        members = {each for each, said in services.items() if name in said.get("networks", ())}
        assert members == {name, f"{name}-envoy"}
        assert set(services[name]["networks"]) == {name}
    assert services["api"]["image"] == image[1].partition("=")[2]
    assert services["web"]["environment"]["UPSTREAMS"] == "api=http://web-envoy:9191"
    assert services["web"]["ports"] == ["127.0.0.1:8000:8080"]
    assert not any("ports" in said for name, said in services.items() if name != "web")


@pytest.mark.parametrize("kind", ["compose", "systemd"])
def test_the_users_of_containers_and_units_can_read_what_a_careful_person_makes(
    xdsmesh: Run, tmp_path: Path, kind: str
) -> None:
    before = os.umask(0o077)
    try:
        assert xdsmesh("init", kind, *ASKED, "--out", "my mesh").returncode == 0
    finally:
        os.umask(before)
    for each in (tmp_path / "my mesh", *(tmp_path / "my mesh").rglob("*")):
        assert each.stat().st_mode & 0o777 == (0o755 if each.is_dir() else 0o644)


def test_what_is_said_at_the_end_can_be_copied_into_a_shell(xdsmesh: Run) -> None:
    assert xdsmesh("init", "compose", *ASKED, "--out", "my mesh").stdout.splitlines() == [
        "Wrote 10 files into my mesh",
        "Once, in the source of xdsmesh: docker build -t xdsmesh:local .",
        "Start it: cd 'my mesh' && docker compose up",
    ]


def test_the_envoy_is_the_one_that_our_own_containers_have(xdsmesh: Run, tmp_path: Path) -> None:
    assert xdsmesh("init", "compose", *ASKED).returncode == 0
    (ours,) = [
        each for each in (ROOT / "compose" / ".env").read_text().splitlines() if "ENVOY_IMAGE=" in each
    ]
    assert ours in (tmp_path / "my-mesh" / ".env").read_text()


def test_a_mesh_next_to_another_one_has_addresses_and_containers_of_its_own(
    xdsmesh: Run, tmp_path: Path
) -> None:
    assert xdsmesh("init", "compose", *ASKED, "--subnet", "10.74.0.0/16").returncode == 0
    texts = [each.read_text() for each in (tmp_path / "my-mesh").rglob("*") if each.is_file()]
    assert not any("10.73." in text for text in texts)
    networks = compose_of(tmp_path)["networks"]
    assert [each["ipam"]["config"][0]["subnet"] for each in networks.values()] == [
        "10.74.0.0/24",
        "10.74.1.0/29",
        "10.74.2.0/29",
    ]


@pytest.mark.parametrize("kind", ["compose", "systemd"])
def test_a_service_speaks_what_is_said(xdsmesh: Run, tmp_path: Path, kind: str) -> None:
    assert xdsmesh("init", kind, *ASKED, "--protocol", "api=tcp").returncode == 0
    assert 'Protocol = "tcp"' in (tmp_path / "my-mesh" / "mesh" / "protocol-api.hcl").read_text()
    assert "http://" not in (tmp_path / "my-mesh" / "README.md").read_text()
    assert xdsmesh("validate", "my-mesh/mesh").stdout == "3 entries, 2 services in 5 files: fine\n"


def test_systemd_finds_nothing_wrong_with_the_units(xdsmesh: Run, tmp_path: Path) -> None:
    assert xdsmesh("init", "systemd", *ASKED).returncode == 0
    units = sorted((tmp_path / "my-mesh" / "units").iterdir())
    assert len(units) == 3
    for unit in units:
        text = unit.read_text()
        assert "\nDynamicUser=yes\n" in text
        assert "\nRestart=always\n" in text
    if analyze := shutil.which("systemd-analyze"):
        said = subprocess.run(
            [analyze, "verify", *units], capture_output=True, text=True, check=False, timeout=60
        )
        assert (said.returncode, said.stderr) == (0, "")


def test_the_folder_says_where_a_service_finds_those_that_it_calls(xdsmesh: Run, tmp_path: Path) -> None:
    for kind, address in {"compose": "http://web-envoy:9191", "systemd": "http://127.0.0.1:9191"}.items():
        assert xdsmesh("init", kind, *ASKED, "--out", kind).returncode == 0
        assert f"| web | api | `{address}` |" in (tmp_path / kind / "README.md").read_text()

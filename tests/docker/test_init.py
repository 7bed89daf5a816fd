"""The containers and units of docs/getting-started.md, by its commands as they are there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.docker.mesh import ROOT
from tests.getting_started import CONTAINERS, SYSTEMD, blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker import DockerClient

pytestmark = [pytest.mark.docker, pytest.mark.timeout(400)]

BASH: Final = "/bin/bash"
SECONDS: Final = 60
UP_SECONDS: Final = 240
SIDECARS: Final = ("web-1-sidecar-proxy", "api-1-sidecar-proxy")
LOGS: Final = "docker compose ps --all; docker compose logs --tail 15"
UNITS: Final = ("xdsmesh", "xdsmesh-sidecar-web", "xdsmesh-sidecar-api")


def run(commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(
        [BASH, "-ec", commands],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=UP_SECONDS,
    )


def done(commands: str, folder: Path) -> str:
    result = run(commands, folder)
    assert result.returncode == 0, f"{commands}\n{result.stdout}\n{result.stderr[-4000:]}"
    return result.stdout


def said(commands: str, folder: Path) -> str:
    return run(commands, folder).stdout


def wait(says: Callable[[], str], expected: str, evidence: Callable[[], str]) -> None:
    """Return when this is said, within a bound."""
    deadline = time.monotonic() + SECONDS
    while expected not in (answer := says()):
        assert time.monotonic() < deadline, f"waited in vain for {expected!r}: {answer}\n{evidence()}"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, engine: DockerClient) -> Iterator[Path]:
    """A folder with what the image is made of; what is brought up in its folder `shop` has gone at last."""
    assert engine
    folder = tmp_path_factory.mktemp("source")
    for name in ("Dockerfile", ".dockerignore", "LICENSE", "README.md", "pyproject.toml"):
        shutil.copy2(ROOT / name, folder)
    shutil.copytree(ROOT / "xdsmesh", folder / "xdsmesh", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "compose").mkdir()
    shutil.copy2(ROOT / "compose" / "make-tokens", folder / "compose")
    yield folder
    if (folder / "shop").exists():
        done("docker compose down --volumes --remove-orphans --timeout 5", folder / "shop")


def test_in_containers_web_calls_api_until_an_intention_denies_it(source: Path) -> None:
    make, call, down = blocks(CONTAINERS, "sh")
    shop = source / "shop"
    done(make, source)

    calls = partial(said, call, shop)
    logs = partial(said, LOGS, shop)
    wait(calls, '"called": {"service": "api", "path": "/"}', logs)
    for proxy in SIDECARS:
        wait(calls, proxy, logs)
    done("docker compose up --detach --no-deps --force-recreate control-plane", shop)
    done("docker compose restart tokens web-envoy", shop)
    for proxy in SIDECARS:
        wait(calls, proxy, logs)
    intentions = shop / "mesh" / "intentions-api.hcl"
    draft = intentions.with_suffix(".draft")
    draft.write_text(intentions.read_text().replace('"allow"', '"deny"'))
    draft.replace(intentions)
    wait(calls, "denied by an intention", logs)
    done(down, shop)
    assert not done("docker compose ps --all --quiet", shop)


def test_a_mesh_with_a_subnet_of_its_own_runs_next_to_another_one_and_speaks_tcp(source: Path) -> None:
    asked = "--service api:443 --service db:5432 --upstream api:db:5433 --protocol db=tcp"
    ask = "from urllib.request import urlopen; print(urlopen('http://api-envoy:5433', timeout=5).read())"
    done("docker build --quiet --tag xdsmesh:local .", source)
    meshes = {source / "first": "", source / "second": "--subnet 10.74.0.0/16"}
    with ExitStack() as ups:
        for folder, more in meshes.items():
            done(f"xdsmesh init compose {asked} {more} --out {folder}", source)
            ups.callback(done, "docker compose down --volumes --timeout 5", folder)
            done("docker compose up --detach", folder)
        for folder in meshes:
            call = partial(said, f'docker compose exec -T api python -c "{ask}"', folder)
            wait(call, '"service": "db"', partial(said, LOGS, folder))


@pytest.fixture(scope="module")
def machine(source: Path, engine: DockerClient) -> Iterator[Callable[[str], str]]:
    """Runs commands where systemd is the first process, and the units are installed; what they say."""
    image = f"xdsmesh-test-systemd:{os.getpid()}"
    envoy = next(
        each.partition("=")[2]
        for each in (ROOT / "compose" / ".env").read_text().splitlines()
        if each.startswith("ENVOY_IMAGE=")
    )
    done("docker build --quiet --tag xdsmesh:local .", source)
    engine.images.build(
        path=str(Path(__file__).parent),
        dockerfile="systemd.Dockerfile",
        tag=image,
        buildargs={"ENVOY_IMAGE": os.environ.get("ENVOY_IMAGE", envoy)},
        rm=True,
        forcerm=True,
    )
    # systemd has a hierarchy of cgroups of its own, or with cgroups v2 a part of the only one.
    cgroups = next(each for each in ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup") if Path(each).exists())
    container = engine.containers.run(
        image,
        detach=True,
        cap_add=["SYS_ADMIN"],
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        tmpfs={"/run": "", "/run/lock": "", "/tmp": "exec"},  # noqa: S108 - of the container
        volumes={cgroups: {"bind": cgroups, "mode": "rw"}},
        environment={"container": "docker"},
        network_mode="none",
        tty=True,
    )

    def inside(commands: str) -> str:
        _, said = container.exec_run(["timeout", "30", "bash", "-ec", commands])
        return str(said.decode(errors="replace"))

    install, stand_in, _ = blocks(SYSTEMD, "sh")
    try:
        wait(lambda: inside("systemctl is-system-running || true"), "running", container.logs)
        inside(install)
        inside(stand_in)
        yield inside
    finally:
        container.remove(force=True, v=True)
        engine.images.remove(image, force=True)


def test_under_systemd_web_calls_api_and_a_sidecar_outlives_the_control_plane(
    machine: Callable[[str], str],
) -> None:
    call = blocks(SYSTEMD, "sh")[-1]

    def journal() -> str:
        return machine("systemctl --no-pager --failed; journalctl --no-pager --lines 60")

    wait(lambda: machine(call), "Directory listing", journal)
    wait(lambda: machine(call), "api-1-sidecar-proxy", journal)
    main = "systemctl show --property MainPID --value"
    before = machine(f"{main} xdsmesh-sidecar-web xdsmesh-sidecar-api")
    machine("systemctl stop xdsmesh")
    assert "Directory listing" in machine(call.splitlines()[0])
    machine("systemctl start xdsmesh")
    for proxy in SIDECARS:
        wait(lambda: machine("xdsmesh proxies || true"), proxy, journal)
    assert machine(f"{main} xdsmesh-sidecar-web xdsmesh-sidecar-api") == before


def test_under_systemd_none_of_them_is_root_or_may_gain_anything(machine: Callable[[str], str]) -> None:
    for unit in UNITS:
        said = machine(f"cat /proc/$(systemctl show --property MainPID --value {unit})/status")
        status = dict(line.split(":\t", 1) for line in said.splitlines() if ":\t" in line)
        assert "0" not in status["Uid"].split()
        assert status["NoNewPrivs"] == "1"
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        assert status["Seccomp"] == "2", "system calls are filtered"

"""The image of Dockerfile by itself: who it runs as, what it may write, and what its health check says."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest
from docker.types import Healthcheck

from tests.docker.mesh import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient
    from docker.models.containers import Container

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

SECONDS: Final = 60
SECOND: Final = 1_000_000_000
SERVER: Final = ("xdsmesh", "server", "--data-dir", "/data", "--roots-file", "/trust/roots.pem")


@pytest.fixture(scope="module")
def image(engine: DockerClient) -> Iterator[str]:
    tag = f"xdsmesh-test-image:{os.getpid()}"
    engine.images.build(path=str(ROOT), tag=tag, rm=True, forcerm=True)
    yield tag
    engine.images.remove(tag, force=True)


@contextmanager
def running(engine: DockerClient, image: str, *command: str) -> Iterator[Container]:
    """A container with a root that it can't write to; its health is asked for each second."""
    container = engine.containers.run(
        image,
        entrypoint=list(command),
        detach=True,
        read_only=True,
        tmpfs={"/tmp": ""},  # noqa: S108 - of the container
        volumes=["/data", "/trust"],
        cap_drop=["ALL"],
        network_mode="none",
        healthcheck=Healthcheck(interval=SECOND, timeout=5 * SECOND, retries=2, start_period=SECOND),
    )
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


def wait(container: Container, expected: str) -> None:
    """Return when this is the health of a container, within a bound."""
    deadline = time.monotonic() + SECONDS
    while container.health != expected:
        assert time.monotonic() < deadline, f"waited in vain until {expected}: {container.logs().decode()}"
        time.sleep(0.5)
        container.reload()


def test_a_server_on_a_read_only_root_is_healthy_and_not_root(engine: DockerClient, image: str) -> None:
    with running(engine, image, *SERVER) as server:
        wait(server, "healthy")
        _, who = server.exec_run(["id", "-u"])
        assert who == b"1000\n"
        status, _ = server.exec_run(["test", "-s", "/trust/roots.pem"])
        assert status == 0
        status, said = server.exec_run(["touch", "/opt/xdsmesh/new"])
        assert status
        assert b"Read-only file system" in said


def test_a_container_whose_server_does_not_answer_is_unhealthy(engine: DockerClient, image: str) -> None:
    with running(engine, image, "sleep", str(2 * SECONDS)) as silent:
        wait(silent, "unhealthy")

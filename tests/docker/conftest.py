"""The mesh in containers, where there is an engine; and what is kept of it when a test fails."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NoReturn

import docker
import pytest

from tests.docker.mesh import ROOT, Mesh, why_not
from tests.namespaces.namespaces import why_not as why_no_namespaces

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_EVIDENCE: Final = ROOT / "build" / "test-docker"
_REQUIRED: Final = "XDSMESH_REQUIRE_DOCKER"
_MESHES: Final = pytest.StashKey[Mesh]()


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    if reason := why_not():
        leave_out(f"the tests in containers were not run: {reason}; `.ci/engine` brings what they need")
    client = docker.from_env(timeout=60)
    yield client
    client.close()


@pytest.fixture(scope="session")
def namespaces() -> None:
    """For tests that want a network namespace of their own."""
    if reason := why_no_namespaces():
        leave_out(f"the machine next to the containers was left out: {reason}")


def leave_out(said: str) -> NoReturn:
    """Skip a test for want of something on this machine; where all of them are wanted, fail it."""
    if os.environ.get(_REQUIRED):
        pytest.fail(said, pytrace=False)
    pytest.skip(said)


@pytest.fixture(scope="session")
def mesh(
    engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Mesh]:
    """One mesh for all tests; each leaves it as it was."""
    with Mesh(engine, tmp_path_factory.mktemp("mesh")) as mesh:
        request.config.stash[_MESHES] = mesh
        try:
            mesh.up()
        except BaseException:
            mesh.keep_evidence(_EVIDENCE / "up")
            raise
        yield mesh
        del request.config.stash[_MESHES]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    mesh = item.config.stash.get(_MESHES, None)
    if report.failed and call.when == "call" and mesh is not None:
        folder = _EVIDENCE / item.name
        mesh.keep_evidence(folder)
        report.sections.append(("kept", f"logs and config dumps are in {folder}"))
    return report

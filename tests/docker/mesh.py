"""The mesh of compose/ in containers: brought up by `docker compose`, asked and disturbed through the SDK."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

    from docker import DockerClient
    from docker.models.containers import Container

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final = "xdsmesh-test"
PROXIES: Final = {
    "dc1": {
        "admin-v1-sidecar-proxy",
        "admin-v2-sidecar-proxy",
        "api-1-sidecar-proxy",
        "client-1-sidecar-proxy",
        "gateway-dc1",
        "web-1-sidecar-proxy",
    },
    "dc2": {"db-1-sidecar-proxy", "gateway-dc2"},
}
"""The node ids of all Envoys, by their datacenter."""
BY_GATEWAYS: Final = "/call/api/call/db"
"""What web is asked for, so that it calls api, which calls db in the other datacenter."""
DENIED: Final = "/call/db"
"""What web is asked for, so that it calls db itself."""
EVERYTHING: Final = {"/": 200, "/admin": 200, BY_GATEWAYS: 200, DENIED: 403}
"""The status of each kind of call, when all is well."""

_LABEL: Final = "com.docker.compose"
_SECONDS: Final = 60
_PATIENCE: Final = 20
_UP_SECONDS: Final = 420
_ADMIN: Final = r"""
exec 3<>/dev/tcp/127.0.0.1/9901
printf 'GET %s HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\n\r\n' >&3
cat <&3
"""


class Mesh:
    """A context: the mesh with its own copy of compose/, so that a test may edit what a person edits."""

    def __init__(self, engine: DockerClient, folder: Path) -> None:
        self.engine = engine
        self.folder = folder / "compose"
        self._env = {**os.environ, "WEB_PORT": str(_free_port())}
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{self._env['WEB_PORT']}", timeout=_PATIENCE, trust_env=False
        )
        shutil.copytree(ROOT / "compose", self.folder)
        shutil.copytree(ROOT / "envoy-bootstrap", folder / "envoy-bootstrap")

    def __enter__(self) -> Self:
        # What a run that was killed has left behind has our addresses.
        self.compose("down", "--volumes", "--remove-orphans")
        self.compose("build", folder=ROOT / "compose")
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self.compose("down", "--volumes", "--remove-orphans")

    def up(self) -> None:
        """Bring up what is not there; return when all is healthy."""
        self.compose("up", "--detach", "--wait", "--no-build")

    def compose(self, *arguments: str, folder: Path | None = None) -> str:
        """Run `docker compose` for this mesh, with the file of ``folder`` or its own; what it says.

        Raises:
            AssertionError: it failed, with what it says.
        """
        command = ("docker", "compose", "--project-name", PROJECT, *arguments)
        done = subprocess.run(
            command,
            cwd=folder or self.folder,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
            timeout=_UP_SECONDS,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{' '.join(command)} exited with {done.returncode}:\n{said[-4000:]}"
        return said

    def get(self, path: str) -> httpx.Response:
        """Ask web, as a person on this machine does."""
        return self._http.get(path)

    def status(self, path: str, seconds: float = _PATIENCE) -> int:
        """Ask web; the status, or 0 if there is no answer in time."""
        try:
            return self._http.get(path, timeout=seconds).status_code
        except httpx.TransportError:
            return 0

    def containers(self) -> dict[str, Container]:
        """All containers, those that have ended too, by the names of their services."""
        filters = {"label": f"{_LABEL}.project={PROJECT}"}
        every = self.engine.containers.list(all=True, filters=filters, ignore_removed=True)
        return {each.labels[f"{_LABEL}.service"]: each for each in every}

    def container(self, service: str) -> Container:
        """The container of a service."""
        return self.containers()[service]

    def run(self, service: str, *command: str) -> tuple[int, str]:
        """Run a command in a container: its exit code, and what it says."""
        code, said = self.container(service).exec_run(list(command))
        return int(code), said.decode(errors="replace")

    def control(self, datacenter: str, *arguments: str) -> Any:
        """What `xdsmesh ... --format json` answers beside a control plane; None if it fails."""
        code, said = self.run(f"{datacenter}-control-plane", "xdsmesh", *arguments, "--format", "json")
        return json.loads(said) if code == 0 else None

    def admin(self, service: str, path: str) -> str:
        """What the admin interface of an Envoy answers; its image has nothing but bash to ask with."""
        _, said = self.run(service, "bash", "-c", _ADMIN % path)
        return said.partition("\r\n\r\n")[2]

    def reaches(self, service: str, address: str, port: int) -> bool:
        """Whether a TCP connection from an Envoy's container comes about."""
        return self.run(service, "timeout", "2", "bash", "-c", f"exec 3<>/dev/tcp/{address}/{port}")[0] == 0

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text in a file of the mesh/ folder, as an editor does: by another file."""
        path = self.folder / "mesh" / file
        text = path.read_text("utf-8")
        assert old in text, f"{old!r} is not in {file}"
        draft = path.with_suffix(".draft")
        draft.write_text(text.replace(old, new), "utf-8")
        draft.replace(path)

    def wait(self, condition: Callable[[], object], what: str, seconds: float = _SECONDS) -> None:
        """Return when the condition holds.

        Raises:
            AssertionError: it does not hold in time.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain until {what}"
            time.sleep(0.2)

    def connected(self, datacenter: str) -> set[str]:
        """The node ids of the Envoys with a stream to their control plane."""
        found = self.control(datacenter, "proxies") or {}
        return {each["proxy"] for each in found.get("connected", ())}

    def is_whole(self) -> bool:
        """Whether each call is answered as it should be, and each Envoy is connected to its control plane."""
        answers = {path: self.status(path) for path in EVERYTHING}
        return answers == EVERYTHING and all(
            self.connected(datacenter) == proxies for datacenter, proxies in PROXIES.items()
        )

    def heals(self, after: str) -> None:
        """Return when the mesh is whole again, by itself."""
        self.wait(self.is_whole, f"the mesh was whole after {after}", seconds=90)

    def keep_evidence(self, folder: Path) -> None:
        """Write the logs of all containers, and the config dumps of those with an Envoy, into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for service, container in self.containers().items():
            (folder / f"{service}.log").write_bytes(container.logs(timestamps=True))
            if container.status == "running" and service.endswith(("-envoy", "-gateway")):
                (folder / f"{service}.config_dump.json").write_text(self.admin(service, "/config_dump"))


def why_not() -> str:
    """Why there can be no mesh on this machine; empty if it can."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    for arguments in (("version",), ("compose", "version")):
        command = ("docker", *arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
        if done.returncode:
            return f"`{' '.join(command)}` says: {done.stderr.strip() or done.returncode}"
    return ""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port

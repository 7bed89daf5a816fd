"""What the demo's mesh consists of: its instances, and the config files that describe it."""

import json
import time
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from xdsmesh.demo.network import Network

SERVER_HOST: Final = 1
SPLITTER: Final = "admin-splitter.hcl"


@dataclass(frozen=True, slots=True)
class Instance:
    """A service instance, with an Envoy beside it. ``host`` is the last number of their address.

    ``protocol`` is ``http`` or ``tcp``.
    """

    id: str
    service: str
    host: int
    version: str = ""
    protocol: str = "http"

    @property
    def proxy(self) -> str:
        """The node id of its Envoy."""
        return f"{self.id}-sidecar-proxy"


CLIENT: Final = Instance("client-1", "client", 10)
WEB: Final = Instance("web-1", "web", 20)
ADMINS: Final = (
    Instance("admin-v1-1", "admin", 31, "v1"),
    Instance("admin-v1-2", "admin", 32, "v1"),
    Instance("admin-v1-3", "admin", 33, "v1"),
    Instance("admin-v2-1", "admin", 41, "v2"),
)
INSTANCES: Final = (CLIENT, WEB, *ADMINS)

SPLIT_BEFORE: Final = {"v1": 0.90, "v2": 0.10}
SPLIT_AFTER: Final = {"v1": 0.50, "v2": 0.50}


@dataclass(frozen=True, slots=True)
class Mesh:
    """A mesh to show, or one datacenter of it: its instances, its folder with config files here, its server.

    ``server_host`` is the last number of the server's address.
    """

    instances: tuple[Instance, ...]
    config: str
    server_flags: tuple[str, ...] = ()
    datacenter: str = "dc1"
    server_host: int = SERVER_HOST


SHIFT_MESH: Final = Mesh(INSTANCES, "mesh", ("--default-intention-policy", "allow"))


def write_config(folder: Path, network: Network, mesh: Mesh = SHIFT_MESH) -> None:
    """Write the config files of a mesh, with the addresses of this demo filled in."""
    places = {
        "network": network.prefix,
        "app_port": network.app_port,
        "sidecar_port": network.sidecar_port,
        "upstream_port": network.upstream_port,
        "tcp_upstream_port": network.tcp_upstream_port,
    }
    for file in files("xdsmesh.demo").joinpath(mesh.config).iterdir():
        (folder / file.name).write_text(Template(file.read_text("utf-8")).substitute(places), "utf-8")


@dataclass(frozen=True, slots=True)
class App:
    """The application of an instance, and where it listens."""

    address: str
    port: int
    service: str
    version: str
    instance: str
    protocol: str


def write_apps(file: Path, network: Network, mesh: Mesh = SHIFT_MESH) -> None:
    """Write the file that tells the applications' process what it serves."""
    apps = [
        App(network.host(each.host), network.app_port, each.service, each.version, each.id, each.protocol)
        for each in mesh.instances
    ]
    file.write_text(json.dumps([asdict(app) for app in apps]), "utf-8")


def shift_split(folder: Path) -> float:
    """Edit the splitter to ``SPLIT_AFTER``, whole or not at all; when it was done (``time.time``)."""
    file = folder / SPLITTER
    text = file.read_text("utf-8").replace("Weight = 10", "Weight = 50").replace("Weight = 90", "Weight = 50")
    return rewrite(file, text)


def rewrite(file: Path, text: str) -> float:
    """Give a config file another text, whole or not at all; when it was done (``time.time``)."""
    draft = file.parents[1] / f"{file.name}.new"
    draft.write_text(text, "utf-8")
    edited = time.time()
    draft.replace(file)
    return edited

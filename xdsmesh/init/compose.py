"""A mesh in containers: a compose file, bootstraps for stock Envoys, and tokens that are made on first start.

Why a service is two containers in a network of their own: docs/decisions/0037-a-mesh-in-containers.md.
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Final

import yaml

from xdsmesh.bootstrap import HostPort, ServerTrust, make_bootstrap
from xdsmesh.init.compose_text import COMMON, FOOT, service_text
from xdsmesh.init.mesh import definition, mesh_files, upstream_lines
from xdsmesh.init.readme import compose_readme
from xdsmesh.init.services import Service, clashes

_ENVOY_IMAGE: Final = "envoyproxy/envoy:v1.40.0"
_CONTROL_PLANE: Final = "control-plane"
_XDS: Final = 8503
_ADMIN: Final = HostPort("127.0.0.1", 9901)
_SIDECAR: Final = 21000
_TRUST: Final = ServerTrust(_CONTROL_PLANE, Path("/etc/xdsmesh/roots.pem"))
_ROOTS: Final = "control-plane-ca.yaml"
_MOUNTED: Final = Path("/etc/envoy-bootstrap")
_TAKEN: Final = {"operator", _CONTROL_PLANE, "tokens", "mesh"}
"""What containers and networks of our own are called."""


def compose_files(services: Sequence[Service]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The files by their paths, and what is wrong with the services for containers."""
    problems = (*_name_problems(services), *clashes(list(_listeners(services))))
    texts = [service_text(each, _address(at), _network(at)) for at, each in enumerate(services, 1)]
    definitions = {each.name: _definition(each, at) for at, each in enumerate(services, 1)}
    files = {
        "README.md": compose_readme(services),
        ".env": _ENV,
        "compose.yaml": COMMON + "".join(_tokens(services)) + "".join(texts) + _foot(services),
        **mesh_files(services, definitions),
        f"envoy/{_ROOTS}": _yaml(_TRUST.secret()),
        **{f"envoy/sidecars/{each.name}.yaml": _bootstrap(each) for each in services},
    }
    return files, problems


_ENV: Final = f"""\
# The environment goes before what stands here.

# xdsmesh: `docker build -t xdsmesh:local .` in its source makes it.
XDSMESH_IMAGE=xdsmesh:local
# The sidecars: Envoy's own image, with nothing added.
ENVOY_IMAGE={_ENVOY_IMAGE}
"""


def _bootstrap(service: Service) -> str:
    return _yaml(
        make_bootstrap(
            f"{service.id}-sidecar-proxy",
            service.name,
            HostPort(_CONTROL_PLANE, _XDS),
            _ADMIN,
            Path("/run/xdsmesh/token"),
            transport_socket=_TRUST.transport_socket(str(_MOUNTED / _ROOTS)),
        )
    )


def _yaml(value: dict[str, Any]) -> str:
    return yaml.safe_dump(value, sort_keys=False)


def _definition(service: Service, at: int) -> str:
    network = _network(at)
    proxy = [f'local_service_address = "{network + 3}"', *upstream_lines(service, str(network + 2))]
    check = ['name          = "as well as its service"', f'alias_service = "{service.id}"']
    lines = [
        f"port = {_SIDECAR}",
        *_block("proxy", proxy),
        *_block("check", check),
    ]
    return definition(service, str(_address(at)), lines)


def _block(name: str, lines: Sequence[str]) -> list[str]:
    return [f"{name} {{", *(f"  {line}" for line in lines), "}"]


def _address(at: int) -> IPv4Address:
    """Where the other sidecars reach one: its address in the network ``mesh``."""
    return IPv4Address("10.73.0.10") + at


def _network(at: int) -> IPv4Address:
    """The small network of a service: the sidecar is its .2, the application its .3."""
    return IPv4Address("10.73.0.0") + 256 * at


def _tokens(services: Sequence[Service]) -> Iterator[str]:
    for each in services:
        yield f"      - {each.name}-token:/tokens/services/{each.name}\n"


def _foot(services: Sequence[Service]) -> str:
    networks = "".join(
        f"  {each.name}: {{ipam: {{config: [{{subnet: {_network(at)}/29}}]}}}}\n"
        for at, each in enumerate(services, 1)
    )
    return FOOT.format(networks=networks, volumes="".join(f"  {each.name}-token:\n" for each in services))


def _name_problems(services: Sequence[Service]) -> Iterator[str]:
    taken = _TAKEN | {f"{each.name}-envoy" for each in services}
    for each in services:
        if each.name in taken:
            yield f"--service {each.name}: a container or network is called so already: choose another name"


def _listeners(services: Sequence[Service]) -> Iterator[tuple[str, int, str]]:
    for each in services:
        sidecar = f"the sidecar of {each.name}"
        for upstream in each.upstreams:
            yield sidecar, upstream.port, f"{each.name}'s way to {upstream.service}"
        if each.published:
            yield "127.0.0.1", each.published, each.name

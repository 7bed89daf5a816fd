"""A mesh in containers: a compose file, bootstraps for stock Envoys, and tokens that are made on first start.

Why a service is two containers in a network of their own: docs/decisions/0037-a-mesh-in-containers.md.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from xdsmesh.bootstrap import HostPort, ServerTrust, make_bootstrap
from xdsmesh.init.addresses import Addresses, Pair
from xdsmesh.init.compose_text import COMMON, CONTROL_PLANE, FOOT, service_text
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


def compose_files(
    services: Sequence[Service], addresses: Addresses
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The files by their paths, and what is wrong with the services for containers."""
    problems = (*_name_problems(services), *clashes(list(_listeners(services))))
    pairs = [(each, addresses.pair(at)) for at, each in enumerate(services, 1)]
    definitions = {each.name: _definition(each, pair) for each, pair in pairs}
    compose = (
        COMMON,
        CONTROL_PLANE.format(address=addresses.control_plane, tokens=addresses.tokens),
        *_tokens(services),
        *(service_text(each, pair) for each, pair in pairs),
        FOOT.format(
            mesh=addresses.mesh,
            networks="".join(
                f"  {each.name}: {{ipam: {{config: [{{subnet: {pair.network}}}]}}}}\n" for each, pair in pairs
            ),
            volumes="".join(f"  {each.name}-token:\n" for each in services),
        ),
    )
    files = {
        "README.md": compose_readme(services, addresses),
        ".env": _ENV,
        "compose.yaml": "".join(compose),
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


def _definition(service: Service, pair: Pair) -> str:
    proxy = [f'local_service_address = "{pair.application}"', *upstream_lines(service, str(pair.sidecar))]
    check = ['name          = "as well as its service"', f'alias_service = "{service.id}"']
    lines = [
        f"port = {_SIDECAR}",
        *_block("proxy", proxy),
        *_block("check", check),
    ]
    return definition(service, str(pair.in_mesh), lines)


def _block(name: str, lines: Sequence[str]) -> list[str]:
    return [f"{name} {{", *(f"  {line}" for line in lines), "}"]


def _tokens(services: Sequence[Service]) -> Iterator[str]:
    for each in services:
        yield f"      - {each.name}-token:/tokens/services/{each.name}\n"


def _name_problems(services: Sequence[Service]) -> Iterator[str]:
    taken = _TAKEN | {f"{each.name}-envoy" for each in services}
    for each in services:
        if each.name in taken:
            yield f"--service {each.name}: a container or network is called so already: choose another name"
        # Words such as on, and in a compose file what begins with x- is no service.
        if yaml.safe_load(each.name) != each.name or each.name.startswith("x-"):
            yield f"--service {each.name}: this means something else in a compose file: choose another name"


def _listeners(services: Sequence[Service]) -> Iterator[tuple[str, int, str]]:
    for each in services:
        sidecar = f"the sidecar of {each.name}"
        for upstream in each.upstreams:
            yield sidecar, upstream.port, f"{each.name}'s way to {upstream.service}"
        if each.published:
            yield "127.0.0.1", each.published, each.name

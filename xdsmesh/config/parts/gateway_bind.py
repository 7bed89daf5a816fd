"""Where a gateway listens, as the ``Config`` of its registration says it.

Keys: https://developer.hashicorp.com/consul/docs/reference/proxy/envoy#gateway-options
"""

from collections.abc import Iterable, Iterator
from typing import Final

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Port, Shape
from xdsmesh.config.wording import nearest, quoted
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

_PREFIXES: Final = ("envoy_gateway_", "envoy_mesh_gateway_")


class BindAddress(Shape, frozen=True):
    """A place to listen; without a port at that of the gateway."""

    address: str = ""
    port: Port = 0

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with it."""
        yield from rules.required(f"{path}.Address", self.address)
        yield from rules.address(f"{path}.Address", self.address)


def unknown_keys(path: str, written: Iterable[str], known: Iterable[str]) -> Iterator[Problem]:
    """Keys that begin as those for gateways do, and are none of them: they would bind nothing."""
    names = {_squash(name): name for name in known}
    for key in written:
        if key.startswith(_PREFIXES) and _squash(key) not in names:
            near = nearest(_squash(key), names)
            remedy = f"did you mean {names[near]}?" if near else "remove it"
            what = f"no gateway has the setting {quoted(key)}"
            yield rules.problem(paths.field(path, key), what, remedy, code=Code.KEY_UNKNOWN)


def _squash(key: str) -> str:
    return key.replace("_", "").lower()

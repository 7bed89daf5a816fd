"""The ports that sidecars get when their registration names none.

Consul's range is 21000 to 21255; a re-registration keeps the port that it had.
"""

from collections.abc import Iterable
from typing import Final

from xdsmesh.model.catalog import Instance
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError

FIRST: Final = 21000
LAST: Final = 21255


class PortTable:
    """Which port each instance of this node has. One server's own: a port is taken before it is stored."""

    def __init__(self, instances: Iterable[Instance]) -> None:
        self._ports = {each.id: each.port for each in instances}

    def take(self, sidecar: Instance) -> int:
        """The port for a sidecar: the one it has, or the lowest that is free, which is then taken.

        Raises:
            RefusedError: every port of the range is taken.
        """
        had = self._ports.get(sidecar.id, 0)
        if FIRST <= had <= LAST:
            return had
        taken = set(self._ports.values())
        for port in range(FIRST, LAST + 1):
            if port not in taken:
                self._ports[sidecar.id] = port
                return port
        what = f"no port from {FIRST} to {LAST} is free for {sidecar.id}"
        place, remedy = Place(path="Connect.SidecarService.Port"), "give its Port in the registration"
        raise RefusedError(Problem(place, what, remedy, code=Code.PORTS))

    def hold(self, instances: Iterable[Instance]) -> None:
        """Remember the ports of what has been registered."""
        self._ports |= {each.id: each.port for each in instances}

    def free(self, instance_ids: Iterable[str]) -> None:
        """Forget the ports of what has been removed."""
        for instance_id in instance_ids:
            self._ports.pop(instance_id, None)

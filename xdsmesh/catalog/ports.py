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
    """Which ports of the range the instances of a node have. A port is taken before it is stored."""

    def __init__(self, instances: Iterable[Instance] = ()) -> None:
        self._ports: dict[str, int] = {}
        self._promised: dict[str, int] = {}
        for instance in instances:
            self.learn(instance.id, instance)

    def take(self, sidecar: Instance) -> int:
        """The port for a sidecar: the one it has, or the lowest that is free, which is then promised to it.

        Raises:
            RefusedError: every port of the range is taken.
        """
        had = self._ports.get(sidecar.id) or self._promised.get(sidecar.id)
        if had:
            return had
        taken = {*self._ports.values(), *self._promised.values()}
        for port in range(FIRST, LAST + 1):
            if port not in taken:
                self._promised[sidecar.id] = port
                return port
        what = f"no port from {FIRST} to {LAST} is free for {sidecar.id}"
        place, remedy = Place(path="Connect.SidecarService.Port"), "give its Port in the registration"
        raise RefusedError(Problem(place, what, remedy, code=Code.PORTS))

    def learn(self, instance_id: str, instance: Instance | None) -> None:
        """Take in what is stored of an instance now; None: it is gone."""
        self._promised.pop(instance_id, None)
        self._ports.pop(instance_id, None)
        if instance and FIRST <= instance.port <= LAST:
            self._ports[instance_id] = instance.port

    def give_back(self, instance_ids: Iterable[str]) -> None:
        """Forget promises that came to nothing."""
        for instance_id in instance_ids:
            self._promised.pop(instance_id, None)

"""The ids of proxies, by which Envoys are known: each is one proxy's in the whole datacenter."""

from xdsmesh.catalog.draft import Draft
from xdsmesh.catalog.view import CatalogView
from xdsmesh.model.catalog import Instance
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError


class ProxyIds:
    """Which nodes proxies are on, also those that are just being written. Case makes no difference."""

    def __init__(self, view: CatalogView) -> None:
        self._view = view
        self._promised: dict[str, tuple[str, Draft]] = {}

    def claim(self, instance: Instance, draft: Draft) -> None:
        """Promise the id of a proxy to its node, until the view shows it or the draft comes to nothing.

        Raises:
            RefusedError: it is that of a proxy on another node.
        """
        if not instance.kind.is_proxy:
            return
        nodes = self._nodes(instance.id)
        taken = next((node for node in nodes if node != instance.node.name), None)
        if taken is not None:
            raise RefusedError(taken_id(Place(path="ID"), instance.id, taken))
        if not nodes:
            self._promised[instance.id.casefold()] = (instance.node.name, draft)

    def learn(self, node: str, instance_id: str) -> None:
        """The view shows now what has become of an instance."""
        if self._promised.get(instance_id.casefold(), ("",))[0] == node:
            del self._promised[instance_id.casefold()]

    def give_back(self, draft: Draft) -> None:
        """Forget the promises to a draft that came to nothing."""
        for instance_id in [each for each, (_, held) in self._promised.items() if held is draft]:
            del self._promised[instance_id]

    def _nodes(self, instance_id: str) -> list[str]:
        shown = [
            each.value.node.name
            for each in self._view.instances_with(instance_id)
            if each.value.kind.is_proxy
        ]
        promised = self._promised.get(instance_id.casefold())
        return [*shown, promised[0]] if promised else shown


def taken_id(place: Place, instance_id: str, node: str) -> Problem:
    """That the id of a proxy is another one's."""
    what = f"a proxy with the id {instance_id} is registered on the node {node}"
    remedy = "ids of proxies are unique in a datacenter: choose another ID"
    return Problem(place, what, remedy, code=Code.GIVEN_TWICE)

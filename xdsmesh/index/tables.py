"""Facts as the rules want to read them: one by one, and in the groups by which they are looked up."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from xdsmesh.model.catalog import Instance
from xdsmesh.model.facts import Fact, FactKey

_UNREAD: Final = frozenset({"node", "check", "token", "remote-server", "member", "membership", "trust"})
"""Facts that no rule reads: instances have what they need of them, and the others are about servers."""

FEDERATION_ADDRESS: Final[FactKey] = ("federation-address",)
"""The key of where the mesh gateways reach the control plane for others: a ``ServiceAddress``, or None."""


DEFAULT_POLICY: Final[FactKey] = ("default-intention-policy",)
"""The key of what happens to a call that no intention decides."""


def sidecars_key(service: str) -> FactKey:
    """The key of all sidecars that stand before a service: a tuple of instances sorted by id."""
    return ("sidecars", service)


def application_key(node: str, instance_id: str) -> FactKey:
    """The key of an instance that is no sidecar: ids of such are unique on a node only."""
    return ("application", node, instance_id)


def sidecar_key(proxy_id: str) -> FactKey:
    """The key of a sidecar: its id is its Envoy's ``node.id``, and unique in the datacenter."""
    return ("instance", proxy_id)


class Tables:
    """Turns facts into changes of the graph, adding the groups that they belong to."""

    def __init__(self) -> None:
        self._instances: dict[FactKey, Instance] = {}
        self._sidecars: dict[str, Instance] = {}
        self._groups: defaultdict[str, dict[str, Instance]] = defaultdict(dict)

    def sidecar(self, proxy_id: str) -> Instance | None:
        """A registered sidecar."""
        return self._sidecars.get(proxy_id)

    def proxies(self) -> tuple[str, ...]:
        """The ids of the registered proxies, sorted."""
        return tuple(sorted(each.id for each in self._instances.values() if each.kind.is_proxy))

    def changes(self, facts: Iterable[Fact]) -> dict[FactKey, object | None]:
        """The changed values by key; of several facts with one key the last counts."""
        changes: dict[FactKey, object | None] = {}
        groups: set[str] = set()
        for fact in facts:
            if fact.key[0] in _UNREAD:
                continue
            if fact.key[0] != "instance":
                changes[fact.key] = fact.value
                continue
            old = self._instances.pop(fact.key, None)
            new = fact.value if isinstance(fact.value, Instance) else None
            if old:
                changes[_key(old)] = None
                groups |= self._leave(old)
            if new:
                self._instances[fact.key] = changes[_key(new)] = new
                groups |= self._join(new)
        for service in groups:
            group = self._groups[service]
            changes[sidecars_key(service)] = tuple(group[key] for key in sorted(group)) or None
            if not group:
                del self._groups[service]
        return changes

    def _leave(self, instance: Instance) -> set[str]:
        """Take an instance out of its group; the service that a sidecar stands before."""
        service = _destination(instance)
        if service and instance.id in self._sidecars:
            del self._sidecars[instance.id]
            self._groups[service].pop(instance.id, None)
        return {service} - {""}

    def _join(self, instance: Instance) -> set[str]:
        """Put an instance into its group; the service that a sidecar stands before."""
        service = _destination(instance)
        if service:
            self._sidecars[instance.id] = self._groups[service][instance.id] = instance
        return {service} - {""}


def _destination(instance: Instance) -> str:
    """The service that a sidecar stands before; empty for what is no sidecar."""
    return instance.proxy.destination_service_name if instance.proxy else ""


def _key(instance: Instance) -> FactKey:
    if _destination(instance):
        return sidecar_key(instance.id)
    return application_key(instance.node.name, instance.id)

"""Facts as the rules want to read them: one by one, and in the groups by which they are looked up."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Final

from xdsmesh.model.catalog import Instance, Kind
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


def proxy_key(proxy_id: str) -> FactKey:
    """The key of a proxy: its id is its Envoy's ``node.id``, and unique in the datacenter."""
    return ("instance", proxy_id)


MESH_GATEWAYS: Final[FactKey] = ("mesh-gateways",)
"""The key of the mesh gateways of this datacenter: a tuple of instances sorted by id, or None."""

MESH_SERVICES: Final[FactKey] = ("mesh-services",)
"""The key of the names of the services that have sidecars: a sorted tuple, or None."""

DATACENTERS: Final[FactKey] = ("datacenters",)
"""The key of the names of the other datacenters whose mesh gateways are known: a sorted tuple, or None."""


class Tables:
    """Turns facts into changes of the graph, adding the groups that they belong to."""

    def __init__(self) -> None:
        self._instances: dict[FactKey, Instance] = {}
        self._proxies: dict[str, Instance] = {}
        self._groups: defaultdict[FactKey, dict[str, Instance]] = defaultdict(dict)
        self._services: set[str] = set()
        self._datacenters: set[str] = set()

    def proxy(self, proxy_id: str) -> Instance | None:
        """A registered proxy: a sidecar or a gateway."""
        return self._proxies.get(proxy_id)

    def proxies(self) -> tuple[str, ...]:
        """The ids of the registered proxies, sorted."""
        return tuple(sorted(self._proxies))

    def changes(self, facts: Iterable[Fact]) -> dict[FactKey, object | None]:
        """The changed values by key; of several facts with one key the last counts."""
        changes: dict[FactKey, object | None] = {}
        groups: set[FactKey] = set()
        for fact in facts:
            if fact.key[0] in _UNREAD:
                continue
            if fact.key[0] != "instance":
                changes[fact.key] = fact.value
                changes |= self._datacenter(fact)
                continue
            old = self._instances.pop(fact.key, None)
            new = fact.value if isinstance(fact.value, Instance) else None
            if old:
                changes[_key(old)] = None
                groups |= self._leave(old)
            if new:
                self._instances[fact.key] = changes[_key(new)] = new
                groups |= self._join(new)
        return changes | self._regrouped(groups)

    def _regrouped(self, keys: Collection[FactKey]) -> dict[FactKey, object | None]:
        """The members of groups by key, and the services in the mesh if one has come or gone."""
        changes: dict[FactKey, object | None] = {}
        for key in keys:
            group = self._groups[key]
            changes[key] = tuple(group[each] for each in sorted(group)) or None
            if not group:
                del self._groups[key]
        services = {key[1] for key in keys if key != MESH_GATEWAYS}
        there = {service for service in services if changes[sidecars_key(service)]}
        if there - self._services or (services - there) & self._services:
            self._services = (self._services - services) | there
            changes[MESH_SERVICES] = tuple(sorted(self._services)) or None
        return changes

    def _datacenter(self, fact: Fact) -> dict[FactKey, object | None]:
        """The other datacenters, if a fact is about the gateways of one."""
        if fact.key[0] != "remote-gateways":
            return {}
        if fact.value is None:
            self._datacenters.discard(fact.key[1])
        else:
            self._datacenters.add(fact.key[1])
        return {DATACENTERS: tuple(sorted(self._datacenters)) or None}

    def _leave(self, instance: Instance) -> set[FactKey]:
        """Take an instance out of its group; the group's key, if it was in one."""
        group = _group(instance)
        if instance.kind.is_proxy and instance.id in self._proxies:
            del self._proxies[instance.id]
            for key in group:
                self._groups[key].pop(instance.id, None)
        return group

    def _join(self, instance: Instance) -> set[FactKey]:
        """Put an instance into its group; the group's key, if there is one."""
        group = _group(instance)
        if instance.kind.is_proxy:
            self._proxies[instance.id] = instance
            for key in group:
                self._groups[key][instance.id] = instance
        return group


def _group(instance: Instance) -> set[FactKey]:
    """The group of a proxy: the sidecars before a service, or the mesh gateways; others have none."""
    if instance.kind is Kind.MESH_GATEWAY:
        return {MESH_GATEWAYS}
    service = instance.proxy.destination_service_name if instance.proxy else ""
    return {sidecars_key(service)} if service else set()


def _key(instance: Instance) -> FactKey:
    if instance.kind.is_proxy:
        return proxy_key(instance.id)
    return application_key(instance.node.name, instance.id)

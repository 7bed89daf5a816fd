"""Facts as the rules want to read them: one by one, and in the groups by which they are looked up."""

from collections import defaultdict
from collections.abc import Iterable

from xdsmesh.model.catalog import Instance
from xdsmesh.model.facts import Fact, FactKey


def sidecars_key(service: str) -> FactKey:
    """The key of all sidecars that stand before a service: a tuple of instances sorted by id."""
    return ("sidecars", service)


class Tables:
    """Turns facts into changes of the graph, adding the groups that they belong to."""

    def __init__(self) -> None:
        self._instances: dict[str, Instance] = {}
        self._sidecars: defaultdict[str, dict[str, Instance]] = defaultdict(dict)

    def instance(self, instance_id: str) -> Instance | None:
        """A registered instance."""
        return self._instances.get(instance_id)

    def proxies(self) -> tuple[str, ...]:
        """The ids of the registered proxies, sorted."""
        return tuple(sorted(each.id for each in self._instances.values() if each.kind.is_proxy))

    def changes(self, facts: Iterable[Fact]) -> dict[FactKey, object | None]:
        """The changed values by key; of several facts with one key the last counts."""
        changes: dict[FactKey, object | None] = {}
        groups: set[str] = set()
        for fact in facts:
            changes[fact.key] = fact.value
            if fact.key[0] == "instance":
                groups |= self._regroup(fact.key[1], fact.value)
        for service in groups:
            group = self._sidecars[service]
            changes[sidecars_key(service)] = tuple(group[key] for key in sorted(group)) or None
            if not group:
                del self._sidecars[service]
        return changes

    def _regroup(self, instance_id: str, value: object | None) -> set[str]:
        """Move one instance; the services whose group of sidecars it left or joined."""
        touched = set()
        old = self._instances.pop(instance_id, None)
        if old is not None and old.proxy is not None:
            self._sidecars[old.proxy.destination_service_name].pop(instance_id, None)
            touched.add(old.proxy.destination_service_name)
        if isinstance(value, Instance):
            self._instances[instance_id] = value
            if value.proxy is not None:
                self._sidecars[value.proxy.destination_service_name][instance_id] = value
                touched.add(value.proxy.destination_service_name)
        return touched

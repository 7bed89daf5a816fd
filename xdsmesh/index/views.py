"""The index from outside: batches of facts go in, proxies whose view is different come out."""

from collections import Counter

from xdsmesh.explain.types import Source
from xdsmesh.index import gateway_rules, rules, sidecar_rules, upstream_rules
from xdsmesh.index.graph import Graph
from xdsmesh.index.sidecar_rules import Caller
from xdsmesh.index.source import source
from xdsmesh.index.tables import Tables
from xdsmesh.index.upstream_rules import UPSTREAM_PARTS, Call
from xdsmesh.index.view_rules import view
from xdsmesh.model.catalog import Instance
from xdsmesh.model.facts import Batch, FactKey
from xdsmesh.model.resource import CLUSTER, LISTENER, ROUTE, ProxyView


class Index:
    """Facts in memory, and the views of the proxies that somebody holds."""

    def __init__(self) -> None:
        self._graph = Graph()
        self._tables = Tables()
        self.revision = -1

    @property
    def work(self) -> Counter[str]:
        """How often each rule has run; ``encoded`` counts the resources that were encoded."""
        return self._graph.work

    @property
    def size(self) -> int:
        """How many facts and results are kept."""
        return self._graph.size

    def apply(self, batch: Batch) -> frozenset[str]:
        """Take in facts; the ids of the held proxies whose view is different now."""
        changed = self._graph.apply(self._tables.changes(batch.facts))
        self.revision = max(self.revision, batch.revision)
        return frozenset(arguments[0] for rule, arguments in changed if rule is view)

    def hold(self, proxy_id: str) -> ProxyView | None:
        """A proxy's view, kept up to date until it is released; None while it must not be served."""
        return self._graph.hold(view, proxy_id)

    def release(self, proxy_id: str) -> None:
        """Let go of a proxy that was held."""
        self._graph.release(view, proxy_id)

    def view(self, proxy_id: str) -> ProxyView | None:
        """A proxy's view as of now."""
        return self._graph.peek(view, proxy_id)

    def source(self, proxy_id: str) -> Source | None:
        """All that a proxy can call, for ``explain``; None when no such proxy is registered."""
        return self._graph.peek(source, proxy_id)

    def proxy(self, proxy_id: str) -> Instance | None:
        """A registered proxy: a sidecar or a gateway."""
        return self._tables.proxy(proxy_id)

    def proxies(self) -> tuple[str, ...]:
        """The ids of all registered proxies, sorted."""
        return self._tables.proxies()

    def entries_behind(self, proxy_id: str, type_url: str, name: str) -> tuple[FactKey, ...]:
        """The config entries that a resource of a proxy was made from, sorted."""
        calls = self._graph.peek(sidecar_rules.caller, proxy_id)
        behind: frozenset[FactKey] = frozenset()
        if calls is None:
            behind = self._gateway_facts(proxy_id, type_url, name)
            return tuple(sorted(key for key in behind if key[0] == "entry"))
        for call in calls.calls:
            found = self._upstream_facts(call, calls, type_url, name)
            if found and call.settings:
                found |= self._graph.facts_behind(sidecar_rules.caller, proxy_id)
            behind |= found
        if not behind and self._is_own(proxy_id, type_url, name):
            behind = self._own_facts(proxy_id, name)
        return tuple(sorted(key for key in behind if key[0] == "entry"))

    def _is_own(self, proxy_id: str, type_url: str, name: str) -> bool:
        """Whether a resource is a sidecar's own; its listener and clusters are all that no upstream has."""
        if type_url == ROUTE:
            ir = self._graph.peek(sidecar_rules.sidecar, proxy_id)
            return ir is not None and ir.routes is not None and ir.routes.name == name
        return type_url in (CLUSTER, LISTENER)

    def _own_facts(self, proxy_id: str, name: str) -> frozenset[FactKey]:
        """The facts behind a sidecar's own resource."""
        ir = self._graph.peek(sidecar_rules.sidecar, proxy_id)
        for cluster in ir.jwks_clusters if ir else ():
            if cluster.name == name:
                return self._graph.facts_behind(sidecar_rules.jwks_cluster, cluster.provider)
        return self._graph.facts_behind(sidecar_rules.sidecar, proxy_id)

    def _upstream_facts(self, call: Call, calls: Caller, type_url: str, name: str) -> frozenset[FactKey]:
        """The facts behind a resource, if it is this upstream's."""
        part = UPSTREAM_PARTS.get(type_url)
        if type_url == LISTENER:
            bound = tuple(each for each in calls.upstreams if each.called == call.called)
            found = name in self._graph.peek(upstream_rules.upstream_listeners, bound, (call,), calls.place)
        else:
            found = part is not None and name in self._graph.peek(part, call, calls.place)
        if not found:
            return frozenset()
        if part is None:
            return self._graph.facts_behind(upstream_rules.upstream, call, calls.place)
        return self._graph.facts_behind(part, call, calls.place)

    def _gateway_facts(self, proxy_id: str, type_url: str, name: str) -> frozenset[FactKey]:
        """The facts behind a mesh gateway's resource: what its logs are like, or the service of a cluster."""
        gateway = self._graph.peek(gateway_rules.forwarder, proxy_id)
        if gateway is None:
            return frozenset()
        if type_url == LISTENER:
            return self._graph.facts_behind(rules.access_logs)
        for each in self._graph.peek(gateway_rules.destinations, gateway):
            if each.target and each.cluster.name == name:
                service = each.target.service
                return self._graph.facts_behind(gateway_rules.service_destinations, service, gateway)
        return frozenset()

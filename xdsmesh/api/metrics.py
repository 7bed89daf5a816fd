"""``/v1/agent/metrics``: figures about the server, as JSON as Consul has it or in Prometheus' text format.

All of them are looked up when somebody asks. Source: https://developer.hashicorp.com/consul/api-docs/agent#view-metrics
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from msgspec import field
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.proxies import Proxies
from xdsmesh.api.queries import Queries
from xdsmesh.api.reply import Reply
from xdsmesh.api.request import AnyRequest
from xdsmesh.api.shapes import Shape
from xdsmesh.federation.links import Links
from xdsmesh.federation.status import LinkState
from xdsmesh.model.checks import Health

_FORMATS: Final = ("", "json", "prometheus")
_OPENMETRICS: Final = "application/openmetrics-text"


class Sample(Shape, frozen=True):
    """A figure, and what tells it from others of its name."""

    name: str
    value: float
    labels: dict[str, str] = field(default_factory=dict)


class Metrics(Shape, frozen=True):
    """All figures at one moment; counters only grow, until the server starts anew."""

    timestamp: str
    gauges: list[Sample]
    points: list[Sample]
    counters: list[Sample]
    samples: list[Sample]


class Figures(Collector):
    """What there is to know, looked up anew each time."""

    def __init__(self, queries: Queries, proxies: Proxies, links: Links) -> None:
        self._queries = queries
        self._proxies = proxies
        self._links = links

    def collect(self) -> Iterable[Metric]:
        """The figures of the catalog, of the proxies, of the index, and of the links to other datacenters."""
        view = self._queries.view
        yield _gauge("revision", "The store's revision that reads show.", self._queries.feed.revision)
        yield _gauge("nodes", "Nodes of the catalog.", len(view.nodes))
        kinds = Counter(each.value.kind.value or "service" for each in view.instances.values())
        yield _gauges("instances", "Registered instances.", "kind", kinds)
        checks = Counter(each.value.status.value or "unsaid" for each in view.checks.values())
        statuses = {each.value or "unsaid": 0 for each in Health}
        yield _gauges("checks", "Health checks by what they say.", "status", {**statuses, **checks})
        entries = Counter(kind for kind, _ in view.entries)
        yield _gauges("config_entries", "Config entries.", "kind", entries)
        yield _gauge("held_queries", "Blocking queries that are held.", self._queries.waiting)
        yield from self._of_proxies()
        yield from self._of_links()

    def _of_proxies(self) -> Iterator[Metric]:
        connected = self._proxies.connected()
        yield _gauge("proxies_connected", "Streams of proxies.", len(connected))
        states = Counter((each.type, each.state.value) for proxy in connected for each in proxy.types)
        text = "Types of resources on streams, by how they stand."
        family = GaugeMetricFamily("xdsmesh_proxy_states", text, labels=["type", "state"])
        for (type_name, state), count in sorted(states.items()):
            family.add_metric([type_name, state], count)
        yield family
        nacks = sum(each.nacks for proxy in connected for each in proxy.types)
        yield _gauge("rejections", "Rejections on the streams that are connected.", nacks)
        text = "How often each rule of the index ran."
        work = CounterMetricFamily("xdsmesh_rule_runs", text, labels=["rule"])
        for rule, runs in self._proxies.work().items():
            work.add_metric([rule], runs)
        yield work

    def _of_links(self) -> Iterator[Metric]:
        links = self._links.status()
        up = {each.datacenter: int(each.state is LinkState.UP) for each in links}
        yield _gauges("federation_link_up", "Whether another datacenter is heard.", "datacenter", up)
        text = "Revisions of another datacenter that are still to come, as far as was heard."
        behind = {each.datacenter: each.remote_revision - each.revision for each in links}
        yield _gauges("federation_lag_revisions", text, "datacenter", behind)
        text = "Seconds for which what is known of another datacenter may be out of date."
        now = datetime.now(UTC)
        ages = {each.datacenter: each.lag(now).total_seconds() for each in links if each.heard_at}
        yield _gauges("federation_lag_seconds", text, "datacenter", ages)


@get(
    "/v1/agent/metrics",
    opt=doc(
        Parameter("format", "`prometheus` for its text format.", {"type": "string", "enum": list(_FORMATS)}),
        reply=Metrics,
    ),
)
async def metrics(
    request: AnyRequest,
    queries: NamedDependency[Queries],
    proxies: NamedDependency[Proxies],
    links: NamedDependency[Links],
) -> Response[Any]:
    """Figures about the server."""
    wanted = request.query_params.get("format") or ""
    if wanted not in _FORMATS:
        raise ClientException(f"Invalid format: {wanted!r} is neither json nor prometheus")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(queries, proxies, links))
    ProcessCollector(registry=registry)
    if wanted == "prometheus" or request.headers.get("accept", "").startswith(_OPENMETRICS):
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
    return Reply(_as_json(registry.collect()))


def _as_json(families: Iterable[Metric]) -> Metrics:
    gauges: list[Sample] = []
    counters: list[Sample] = []
    for family in families:
        shown = counters if family.type == "counter" else gauges
        shown += [Sample(each.name, each.value, dict(each.labels)) for each in family.samples]
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
    return Metrics(timestamp=now, gauges=gauges, points=[], counters=counters, samples=[])


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"xdsmesh_{name}", text, value=value)


def _gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"xdsmesh_{name}", text, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family

"""``/v1/health``: instances with the checks that decide about them, and checks by themselves."""

from collections.abc import Callable
from typing import Final

from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import ClientException

from xdsmesh.api.central import Central
from xdsmesh.api.changes import ALL_CHECKS, ALL_INSTANCES, ALL_NODES, Topic, node_topic, service_topic
from xdsmesh.api.encode import health_check, health_row
from xdsmesh.api.lookup import INGRESS, INSTANCES, RECEIVERS, Lookup
from xdsmesh.api.narrow import (
    NodeQuestion,
    ServiceQuestion,
    filter_of,
    instance_filter_of,
    name_in_path,
    nearest_first,
)
from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.openapi.parameters import (
    BY_INDEX,
    FILTER,
    MERGE,
    NEAR,
    NODE,
    NODE_META,
    PASSING,
    SERVICE_NAME,
    TAG,
)
from xdsmesh.api.queries import Queries, Seen
from xdsmesh.api.reply import Sent
from xdsmesh.api.request import AnyRequest, flag, tail
from xdsmesh.api.shapes import HealthCheck, HealthRow
from xdsmesh.catalog.stored import Stored
from xdsmesh.catalog.view import CatalogView
from xdsmesh.model.catalog import Instance
from xdsmesh.model.checks import Check, Health

_ANY: Final = "any"
_NO_LONGER: Final = "unknown"
"""Clients may ask for this status of Consul's early days; no check has it."""
_CHOICES: Final = (_ANY, *(each.value for each in Health if each), _NO_LONGER)
STATUS: Final = Parameter(
    "status", "A status, or any.", {"type": "string", "enum": list(_CHOICES)}, where="path"
)


@get(
    ["/v1/health/service", "/v1/health/service/{name:path}"],
    opt=doc(SERVICE_NAME, *BY_INDEX, FILTER, TAG, NODE_META, NEAR, MERGE, PASSING, reply=list[HealthRow]),
)
async def service(request: AnyRequest, queries: NamedDependency[Queries]) -> Sent:
    """The instances of a service; with ``?passing`` those whose checks all pass."""
    return await _instances(request, queries, INSTANCES)


@get(
    ["/v1/health/connect", "/v1/health/connect/{name:path}"],
    opt=doc(SERVICE_NAME, *BY_INDEX, FILTER, TAG, NODE_META, NEAR, MERGE, PASSING, reply=list[HealthRow]),
)
async def connect(request: AnyRequest, queries: NamedDependency[Queries]) -> Sent:
    """What receives the mesh's calls to a service, with its own checks."""
    return await _instances(request, queries, RECEIVERS)


@get(
    ["/v1/health/ingress", "/v1/health/ingress/{name:path}"],
    opt=doc(SERVICE_NAME, *BY_INDEX, FILTER, TAG, NODE_META, NEAR, MERGE, PASSING, reply=list[HealthRow]),
)
async def ingress(request: AnyRequest, queries: NamedDependency[Queries]) -> Sent:
    """The instances of the ingress gateways through which a service is reached from outside the mesh."""
    return await _instances(request, queries, INGRESS)


@get(
    ["/v1/health/checks", "/v1/health/checks/{name:path}"],
    opt=doc(SERVICE_NAME, *BY_INDEX, FILTER, NODE_META, NEAR, reply=list[HealthCheck]),
)
async def checks(request: AnyRequest, queries: NamedDependency[Queries]) -> Sent:
    """The checks of a service's instances, without those of their nodes."""
    question = ServiceQuestion.of(request)
    view = queries.view

    def read() -> list[HealthCheck]:
        return [
            health_check(check, each.value)
            for each in question.narrow(view.instances_of(question.name))
            for check in view.checks_of(each.value.node.name, each.value.id)
        ]

    return await _checks(request, queries, read, service_topic(question.name))


@get(
    ["/v1/health/node", "/v1/health/node/{name:path}"],
    opt=doc(NODE, *BY_INDEX, FILTER, reply=list[HealthCheck]),
)
async def node(request: AnyRequest, queries: NamedDependency[Queries]) -> Sent:
    """All checks of a node and of what is on it."""
    name = name_in_path(request, "node")

    def read() -> list[HealthCheck]:
        stored = queries.view.node(name)
        return _described(queries.view, _on_node(queries.view, stored.value.name)) if stored else []

    return await _checks(request, queries, read, node_topic(name))


@get(
    ["/v1/health/state", "/v1/health/state/{status:path}"],
    opt=doc(STATUS, *BY_INDEX, FILTER, NODE_META, NEAR, reply=list[HealthCheck]),
)
async def state(request: AnyRequest, queries: NamedDependency[Queries]) -> Sent:
    """All checks that have a status, or any."""
    wanted = tail(request) if request.path_params else ""
    if wanted not in _CHOICES:
        raise ClientException(f"Missing check state: {wanted!r} is none (use one of {', '.join(_CHOICES)})")

    def read() -> list[HealthCheck]:
        found = [each for each in queries.view.checks.values() if wanted in (_ANY, each.value.status)]
        return _described(queries.view, sorted(found, key=lambda each: (each.value.node, each.value.id)))

    return await _checks(request, queries, read, ALL_CHECKS, ALL_NODES, ALL_INSTANCES)


async def _instances(request: AnyRequest, queries: Queries, lookup: Lookup) -> Sent:
    question, is_wanted = ServiceQuestion.of(request), instance_filter_of(request)
    only_passing = flag(request, "passing")
    view = queries.view

    def read() -> Seen:
        central = Central.of(request, view)
        found = [
            each
            for each in question.narrow(lookup.find(view, question.name))
            if is_wanted(each.value) and (not only_passing or each.value.health is Health.PASSING)
        ]
        rows = [
            health_row(each, view.node_of(each), view.deciding_checks(each.value), central.proxy(each))
            for each in nearest_first(request, view, found, _node_of)
        ]
        return Seen(rows, frozenset({*lookup.topics(view, question.name), *central.topics}))

    return await queries.answer(request, read)


async def _checks(
    request: AnyRequest, queries: Queries, find: Callable[[], list[HealthCheck]], *topics: Topic
) -> Sent:
    """Checks, narrowed by ``?filter`` and by the nodes that are asked for."""
    is_wanted, question = filter_of(request, HealthCheck), NodeQuestion.of(request)

    def is_on_wanted_node(check: HealthCheck) -> bool:
        stored = queries.view.nodes.get(check.node)
        return question.is_open or (stored is not None and question.asks_for(stored.value))

    def read() -> Seen:
        shown = [check for check in find() if is_on_wanted_node(check) and is_wanted(check)]
        return Seen(nearest_first(request, queries.view, shown, lambda check: check.node), frozenset(topics))

    return await queries.answer(request, read)


def _on_node(view: CatalogView, name: str) -> list[Stored[Check]]:
    services = view.instances_on(name)
    return [
        *view.checks_of(name),
        *(check for each in services for check in view.checks_of(name, each.value.id)),
    ]


def _described(view: CatalogView, found: list[Stored[Check]]) -> list[HealthCheck]:
    described = []
    for each in found:
        instance = view.instances.get((each.value.node, each.value.service_id))
        described.append(health_check(each, instance.value if instance else None))
    return described


def _node_of(stored: Stored[Instance]) -> str:
    return stored.value.node.name

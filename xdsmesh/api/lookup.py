"""Which instances a question about a service is about, and what that depends on."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from xdsmesh.api.changes import Topic, destination_topic, entries_topic, service_topic
from xdsmesh.catalog.gateways import ingress_gateways, terminating_gateways
from xdsmesh.catalog.stored import Stored
from xdsmesh.catalog.view import CatalogView
from xdsmesh.config.kinds.ingress_gateway import IngressGateway
from xdsmesh.config.kinds.terminating_gateway import TerminatingGateway
from xdsmesh.model.catalog import Instance


class Lookup(NamedTuple):
    """How instances are found by the name of a service, and the topics that decide which they are."""

    find: Callable[[CatalogView, str], list[Stored[Instance]]]
    topics: Callable[[CatalogView, str], Iterator[Topic]]


def _instances(view: CatalogView, service: str) -> list[Stored[Instance]]:
    return view.instances_of(service)


def _receivers(view: CatalogView, service: str) -> list[Stored[Instance]]:
    return [*view.instances_before(service), *terminating_gateways(view, service)]


def _topics_of_instances(_: CatalogView, service: str) -> Iterator[Topic]:
    yield service_topic(service)


def _topics_of_receivers(view: CatalogView, service: str) -> Iterator[Topic]:
    return _topics_of_gateways(view, service, TerminatingGateway.KIND)


def _topics_of_ingress(view: CatalogView, service: str) -> Iterator[Topic]:
    return _topics_of_gateways(view, service, IngressGateway.KIND)


def _topics_of_gateways(view: CatalogView, service: str, kind: str) -> Iterator[Topic]:
    """Of gateways that entries of a kind lead to a service, perhaps by a wildcard that means it."""
    yield destination_topic(service)
    yield service_topic(service)
    yield entries_topic(kind)
    for each in view.entries_of(kind):
        yield service_topic(each.value.name)


INSTANCES: Final = Lookup(_instances, _topics_of_instances)
"""Those of the service itself."""

RECEIVERS: Final = Lookup(_receivers, _topics_of_receivers)
"""What takes the mesh's calls to the service: its sidecars, instances that need none, gateways to it."""

INGRESS: Final = Lookup(ingress_gateways, _topics_of_ingress)
"""The gateways through which the service is reached from outside the mesh."""

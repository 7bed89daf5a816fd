"""The rules about the addresses behind a target: in this datacenter, in others, and of the gateways between.

What gateways lead to is known here by whether there is somebody at all: callers behind a gateway do not hear
of the health of each instance.
"""

from xdsmesh.config.filter import FilterTypeError
from xdsmesh.index.graph import Reader, rule
from xdsmesh.index.tables import MESH_GATEWAYS, application_key, sidecars_key
from xdsmesh.ir import gateways
from xdsmesh.ir.endpoints import build_endpoints, with_checks_of
from xdsmesh.ir.types import Endpoint, EndpointTarget, Way
from xdsmesh.model.catalog import Instance
from xdsmesh.model.federation import RemoteGateways, RemoteService


@rule(rank=0)
def own_gateways(read: Reader) -> tuple[Endpoint, ...]:
    """The mesh gateways of this datacenter, by their lan addresses."""
    return gateways.own_gateways(read.fact(*MESH_GATEWAYS) or ())


@rule(rank=0)
def gateways_of(read: Reader, datacenter: str) -> tuple[Endpoint, ...]:
    """The mesh gateways of another datacenter, by their wan addresses."""
    known: RemoteGateways | None = read.fact("remote-gateways", datacenter)
    return gateways.gateways_elsewhere(known.gateways if known else ())


@rule(rank=0)
def somebody(read: Reader, target: EndpointTarget) -> bool | None:
    """Whether anybody behind a target in another datacenter is well; None: it has no such service."""
    service: RemoteService | None = read.fact("remote-service", target.datacenter, target.service)
    return None if service is None else service.subset(target.subset).healthy


@rule(rank=1)
def is_reachable(read: Reader, datacenter: str) -> bool:
    """Whether another datacenter has a gateway that is well."""
    return any(gateway.healthy for gateway in read(gateways_of, datacenter))


@rule(rank=2)
def endpoints(read: Reader, target: EndpointTarget) -> tuple[Endpoint, ...]:
    """The addresses behind a target, sorted, names among them only where they are elsewhere."""
    match target.way:
        case Way.HERE:
            return _here(read, target)
        case Way.DIRECT:
            service: RemoteService | None = read.fact("remote-service", target.datacenter, target.service)
            return gateways.instances_elsewhere(service.subset(target.subset).instances if service else ())
        case Way.LOCAL | Way.REMOTE:
            return _through_gateways(read, target)


def _through_gateways(read: Reader, target: EndpointTarget) -> tuple[Endpoint, ...]:
    well = read(somebody, target)
    if well is None:
        return ()
    if target.way is Way.REMOTE:
        theirs = read(gateways_of, target.datacenter)
        return gateways.leading_to(theirs, somebody=well)
    ours = read(own_gateways)
    return gateways.leading_to(ours, somebody=well and read(is_reachable, target.datacenter))


def _here(read: Reader, target: EndpointTarget) -> tuple[Endpoint, ...]:
    """Sidecars: each is as healthy as the application beside it."""
    sidecars: tuple[Instance, ...] = read.fact(*sidecars_key(target.service)) or ()
    instances = [_with_checks_of_application(read, sidecar) for sidecar in sidecars]
    try:
        return build_endpoints(target, instances)
    except FilterTypeError:
        return ()  # who writes such a filter is warned; what can't be judged gets no traffic


def _with_checks_of_application(read: Reader, sidecar: Instance) -> Instance:
    application_id = sidecar.proxy.destination_service_id if sidecar.proxy else ""
    if not application_id:
        return sidecar
    application: Instance | None = read.fact(*application_key(sidecar.node.name, application_id))
    return with_checks_of(application, sidecar)


@rule(rank=3)
def named_endpoints(read: Reader, target: EndpointTarget) -> tuple[Endpoint, ...]:
    """The addresses behind a target if some are host names, which can't come by EDS; otherwise none."""
    return () if target.way is Way.HERE else gateways.with_names(read(endpoints, target))

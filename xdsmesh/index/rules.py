"""The rules from facts to a proxy's view, lowest rank first. Each runs again only when what it read changed.

What is equal for many proxies is one cell: everything about an upstream is keyed by the upstream, and a set
of upstreams by all of them together, so that a thousand replicas share it.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.types import ChainError, ChainRequest, CompiledChain, Overrides
from xdsmesh.config.entry import Entry
from xdsmesh.config.filter import FilterTypeError
from xdsmesh.config.kinds.jwt_provider import JWTProvider
from xdsmesh.index.graph import Reader, Rule, rule
from xdsmesh.index.tables import DEFAULT_POLICY, application_key, sidecars_key
from xdsmesh.ir.access_logs import AccessLogs, build_access_logs
from xdsmesh.ir.authorization import Authorization
from xdsmesh.ir.calls import UNSAID, CallSettings, build_call_settings
from xdsmesh.ir.endpoints import build_endpoints, with_checks_of
from xdsmesh.ir.intentions import build_authorization
from xdsmesh.ir.jwt import JwksCluster, JwtProvider, build_jwks_cluster, build_jwt_provider
from xdsmesh.ir.local import local_settings
from xdsmesh.ir.mesh import Incoming, Outgoing, build_incoming, build_outgoing
from xdsmesh.ir.sidecar import TokenIssuers, build_sidecar, build_upstream_listener, with_access_logs
from xdsmesh.ir.types import (
    Endpoint,
    EndpointTarget,
    LoadAssignment,
    MeshCluster,
    OwnCluster,
    Protocol,
    SidecarIR,
    UpstreamIR,
)
from xdsmesh.ir.upstream import build_upstream, with_tls
from xdsmesh.model.catalog import Instance, Proxy, Upstream
from xdsmesh.model.resource import CLUSTER, ENDPOINT, ROUTE, EncodedResource, ProxyView, Resources
from xdsmesh.model.trust import Leaf, TrustBundle, service_spiffe_id
from xdsmesh.settings import IntentionPolicy
from xdsmesh.translate.encode import Encodable, encode


class Place(NamedTuple):
    """Where chains are evaluated."""

    datacenter: str
    trust_domain: str


class Call(NamedTuple):
    """A service that is called, and how the caller wants that done if it says anything about it."""

    service: str
    settings: CallSettings | None = None


class Caller(NamedTuple):
    """What a proxy calls; equal for all replicas of a service."""

    place: Place
    upstreams: tuple[Upstream, ...]
    calls: tuple[Call, ...]
    """Those behind the upstreams, each service once, sorted."""


_UNSAID: Final = Overrides()


@rule(rank=0)
def chain(
    read: Reader, service: str, place: Place, overrides: Overrides = _UNSAID
) -> CompiledChain | ChainError:
    """The discovery chain of a service."""

    def read_entry(kind: str, name: str) -> Entry | None:
        entry: Entry | None = read.fact("entry", kind, name)
        return entry

    request = ChainRequest(service, place.datacenter, place.trust_domain, overrides)
    return compile_chain(request, read_entry)


@rule(rank=0)
def endpoints(read: Reader, target: EndpointTarget) -> tuple[Endpoint, ...]:
    """The addresses behind a target. A sidecar is as healthy as the application beside it."""
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


@rule(rank=0)
def encoded(_: Reader, value: Encodable) -> EncodedResource:
    """The bytes of an ir value: made once, kept while any view holds them."""
    return encode(value)


@rule(rank=0)
def incoming(read: Reader) -> Incoming:
    """What holds for the calls that any sidecar takes in."""
    return build_incoming(read.fact("entry", "mesh", "mesh"))


@rule(rank=0)
def outgoing(read: Reader) -> Outgoing:
    """What holds for the calls that any sidecar makes."""
    return build_outgoing(read.fact("entry", "mesh", "mesh"))


@rule(rank=1)
def upstream(read: Reader, call: Call, place: Place) -> UpstreamIR | None:
    """What calling a service takes; None while its chain can't be compiled."""
    settings = call.settings
    overridden = settings is not None and settings.overrides != _UNSAID
    compiled = (
        read(chain, call.service, place, settings.overrides)
        if settings and overridden
        else read(chain, call.service, place)
    )
    if isinstance(compiled, ChainError):
        return None
    return build_upstream(compiled, place.trust_domain, settings or UNSAID)


@rule(rank=2)
def upstream_clusters(read: Reader, call: Call, place: Place) -> Resources:
    """The clusters of one upstream."""
    ir = read(upstream, call, place)
    if ir is None:
        return {}
    tls = read(outgoing).tls
    return {cluster.name: read(encoded, with_tls(cluster, tls)) for cluster in ir.clusters}


@rule(rank=2)
def upstream_endpoints(read: Reader, call: Call, place: Place) -> Resources:
    """The load assignments of one upstream's clusters, empty ones included."""
    ir = read(upstream, call, place)
    assignments = (
        LoadAssignment(cluster.name, read(endpoints, cluster.target), to_the_last=cluster.member)
        for cluster in (ir.clusters if ir else ())
        if isinstance(cluster, MeshCluster)
    )
    return {assignment.cluster: read(encoded, assignment) for assignment in assignments}


@rule(rank=2)
def upstream_routes(read: Reader, call: Call, place: Place) -> Resources:
    """The route configuration of one upstream, if it has one."""
    ir = read(upstream, call, place)
    if ir is None or ir.routes is None:
        return {}
    validated = replace(ir.routes, validate_clusters=read(outgoing).validate_clusters)
    return {ir.routes.name: read(encoded, validated)}


UPSTREAM_PARTS: Final = {CLUSTER: upstream_clusters, ENDPOINT: upstream_endpoints, ROUTE: upstream_routes}
"""By type, the rule that makes an upstream's resources."""


@rule(rank=3)
def merged(
    read: Reader, part: Rule[[Call, Place], Resources], calls: tuple[Call, ...], place: Place
) -> Resources:
    """One part of several upstreams together.

    Where two share a cluster it is the same one, unless the caller has other settings for each of them. Then
    those count that it has for the service behind the cluster, whichever upstream leads there.
    """
    resources: dict[str, EncodedResource] = {}
    for call in calls:
        for name, resource in read(part, call, place).items():
            if resources.setdefault(name, resource) is not resource and _leads_to_itself(
                read(upstream, call, place), name
            ):
                resources[name] = resource
    return resources


def _leads_to_itself(ir: UpstreamIR | None, cluster_name: str) -> bool:
    """Whether a cluster of an upstream is that of the service which the upstream names."""
    return ir is not None and any(
        cluster.name == cluster_name
        for cluster in ir.clusters
        if isinstance(cluster, MeshCluster) and cluster.target.service == ir.service
    )


@rule(rank=3)
def upstream_listeners(
    read: Reader, upstreams: tuple[Upstream, ...], calls: tuple[Call, ...], place: Place
) -> Resources:
    """The listeners where an application finds its upstreams; none for one whose chain does not compile."""
    by_service = {call.service: call for call in calls}
    irs = ((each, read(upstream, by_service[each.destination_name], place)) for each in upstreams)
    logs = read(access_logs)
    listeners = (build_upstream_listener(each, ir, logs) for each, ir in irs if ir is not None)
    return {listener.name: read(encoded, listener) for listener in listeners}


@rule(rank=0)
def access_logs(read: Reader) -> AccessLogs | None:
    """What all proxies log."""
    return build_access_logs(read.fact("entry", "proxy-defaults", "global"))


@rule(rank=0)
def calls_of(read: Reader, proxy: Proxy) -> tuple[Call, ...]:
    """What is behind the upstreams of a proxy, each service once, sorted; of the proxy only what counts."""
    service_defaults = read.fact("entry", "service-defaults", proxy.destination_service_name)
    proxy_defaults = read.fact("entry", "proxy-defaults", "global")
    settings = {
        each.destination_name: build_call_settings(each, proxy, service_defaults, proxy_defaults)
        for each in proxy.upstreams
    }
    return tuple(Call(*pair) for pair in sorted(settings.items(), key=_service))


@rule(rank=1)
def caller(read: Reader, proxy_id: str) -> Caller | None:
    """What a sidecar calls; None when no such one is registered, or trust is not known yet."""
    instance: Instance | None = read.fact("instance", proxy_id)
    roots: TrustBundle | None = read.fact("roots")
    if instance is None or instance.proxy is None or roots is None or instance.kind.is_gateway:
        return None
    proxy = instance.proxy
    as_caller = Proxy(
        proxy.destination_service_name,
        upstreams=proxy.upstreams,
        mesh_gateway=proxy.mesh_gateway,
        max_request_headers_kb=proxy.max_request_headers_kb,
    )
    place = Place(instance.node.datacenter, roots.trust_domain)
    return Caller(place, proxy.upstreams, read(calls_of, as_caller))


def _service(pair: tuple[str, object]) -> str:
    return pair[0]


@rule(rank=0)
def authorization(read: Reader, service: str, trust_domain: str, protocol: Protocol) -> Authorization:
    """Who may call a service. Without a default policy everything is denied that no intention allows."""
    return build_authorization(
        read.fact("entry", "service-intentions", service),
        read.fact("entry", "service-intentions", "*"),
        is_http=protocol.is_http,
        allow_by_default=read.fact(*DEFAULT_POLICY) is IntentionPolicy.ALLOW,
        trust_domain=trust_domain,
    )


@rule(rank=0)
def jwt_provider(read: Reader, name: str) -> JwtProvider | None:
    """How the tokens of a provider are verified; None: not at all, which leaves the demand for one unmet."""
    entry: JWTProvider | None = read.fact("entry", JWTProvider.KIND, name)
    return build_jwt_provider(entry) if entry else None


@rule(rank=0)
def jwks_cluster(read: Reader, provider: str) -> JwksCluster | None:
    """Where the keys of a provider are fetched; None if that is not done."""
    entry: JWTProvider | None = read.fact("entry", JWTProvider.KIND, provider)
    return build_jwks_cluster(entry) if entry else None


def _token_issuers(read: Reader, names: tuple[str, ...]) -> TokenIssuers:
    providers = (read(jwt_provider, name) for name in names)
    clusters = (read(jwks_cluster, name) for name in names)
    return TokenIssuers(
        tuple(provider for provider in providers if provider),
        tuple(cluster for cluster in clusters if cluster),
    )


@rule(rank=1)
def sidecar(read: Reader, proxy_id: str) -> SidecarIR | None:
    """A sidecar's own part; None when no such proxy is registered, or trust is not known yet."""
    instance: Instance | None = read.fact("instance", proxy_id)
    roots: TrustBundle | None = read.fact("roots")
    if instance is None or instance.proxy is None or roots is None:
        return None
    service = instance.proxy.destination_service_name
    settings = local_settings(
        instance.proxy,
        read.fact("entry", "service-defaults", service),
        read.fact("entry", "proxy-defaults", "global"),
    )
    allowed = read(authorization, service, roots.trust_domain, settings.protocol)
    issuers = _token_issuers(read, allowed.providers)
    ir = build_sidecar(instance, settings, allowed, issuers, read(incoming))
    return with_access_logs(ir, read(access_logs))


@rule(rank=4)
def cluster_set(
    read: Reader, own: tuple[OwnCluster, ...], calls: tuple[Call, ...], place: Place
) -> Resources:
    """The clusters of all replicas whose applications listen alike: upstreams', and their own."""
    upstreams = read(merged, upstream_clusters, calls, place)
    return {**upstreams, **{cluster.name: read(encoded, cluster) for cluster in own}}


@rule(rank=5)
def clusters(read: Reader, proxy_id: str) -> Resources:
    """The clusters of a proxy."""
    calls, ir = read(caller, proxy_id), read(sidecar, proxy_id)
    return read(cluster_set, ir.own_clusters, calls.calls, calls.place) if calls and ir else {}


@rule(rank=4)
def listeners(read: Reader, proxy_id: str) -> Resources:
    """The listeners of a proxy: where the mesh finds its application, and where that finds the mesh."""
    calls, ir = read(caller, proxy_id), read(sidecar, proxy_id)
    if calls is None or ir is None:
        return {}
    upstreams = read(upstream_listeners, calls.upstreams, calls.calls, calls.place)
    return {**upstreams, ir.public_listener.name: read(encoded, ir.public_listener)}


@rule(rank=4)
def routes(read: Reader, proxy_id: str) -> Resources:
    """The route configurations of a proxy: of its own service's public listener, and of what it calls."""
    calls, ir = read(caller, proxy_id), read(sidecar, proxy_id)
    if calls is None or ir is None:
        return {}
    upstreams = read(merged, upstream_routes, calls.calls, calls.place)
    return {**upstreams, ir.routes.name: read(encoded, ir.routes)} if ir.routes else upstreams


@rule(rank=0)
def identity(read: Reader, proxy_id: str) -> str:
    """The SPIFFE id of the service that a proxy stands before; empty when there is none."""
    instance: Instance | None = read.fact("instance", proxy_id)
    roots: TrustBundle | None = read.fact("roots")
    if instance is None or instance.proxy is None or roots is None:
        return ""
    service = instance.proxy.destination_service_name
    return service_spiffe_id(roots.trust_domain, instance.node.datacenter, service)


@rule(rank=1)
def secrets(read: Reader, proxy_id: str) -> Resources:
    """What a sidecar proves itself with, and whom it believes; both together, once its leaf is issued."""
    leaf: Leaf | None = read.fact("leaf", proxy_id)
    roots: TrustBundle | None = read.fact("roots")
    if leaf is None or roots is None or leaf.spiffe_id != read(identity, proxy_id):
        return {}  # a leaf of who it was before proves nothing
    resources = (read(encoded, leaf), read(encoded, roots))
    return {resource.name: resource for resource in resources}


@rule(rank=6)
def view(read: Reader, proxy_id: str) -> ProxyView | None:
    """All that a proxy should hold; None while it must not be served."""
    calls = read(caller, proxy_id)
    if calls is None:
        return None
    return ProxyView(
        proxy=proxy_id,
        clusters=read(clusters, proxy_id),
        endpoints=read(merged, upstream_endpoints, calls.calls, calls.place),
        listeners=read(listeners, proxy_id),
        routes=read(routes, proxy_id),
        secrets=read(secrets, proxy_id),
        spiffe_id=read(identity, proxy_id),
    )

"""The rules about one sidecar: its own part, and all that it should hold."""

from typing import NamedTuple

from xdsmesh.config.kinds.jwt_provider import JWTProvider
from xdsmesh.index.graph import Reader, rule
from xdsmesh.index.rules import access_logs, encoded
from xdsmesh.index.tables import DEFAULT_POLICY
from xdsmesh.index.upstream_rules import (
    Call,
    Place,
    merged,
    upstream_clusters,
    upstream_endpoints,
    upstream_listeners,
    upstream_routes,
)
from xdsmesh.ir.authorization import Authorization
from xdsmesh.ir.calls import build_call_settings
from xdsmesh.ir.intentions import build_authorization
from xdsmesh.ir.jwt import JwksCluster, JwtProvider, build_jwks_cluster, build_jwt_provider
from xdsmesh.ir.local import local_settings
from xdsmesh.ir.mesh import Incoming, build_incoming
from xdsmesh.ir.sidecar import TokenIssuers, build_sidecar, with_access_logs
from xdsmesh.ir.types import OwnCluster, Protocol, SidecarIR
from xdsmesh.model.catalog import Instance, Proxy, Upstream
from xdsmesh.model.resource import ProxyView, Resources
from xdsmesh.model.trust import Leaf, TrustBundle, service_spiffe_id
from xdsmesh.settings import IntentionPolicy


class Caller(NamedTuple):
    """What a proxy calls; equal for all replicas of a service."""

    place: Place
    upstreams: tuple[Upstream, ...]
    calls: tuple[Call, ...]
    """Those behind the upstreams, each once, sorted by what is called."""


@rule(rank=0)
def calls_of(read: Reader, proxy: Proxy) -> tuple[Call, ...]:
    """What is behind the upstreams of a proxy, each once, sorted; of the proxy only what counts."""
    service_defaults = read.fact("entry", "service-defaults", proxy.destination_service_name)
    proxy_defaults = read.fact("entry", "proxy-defaults", "global")
    calls = {
        each.called: Call(
            each.destination_name,
            build_call_settings(each, proxy, service_defaults, proxy_defaults),
            each.datacenter,
        )
        for each in proxy.upstreams
    }
    return tuple(calls[name] for name in sorted(calls))


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


@rule(rank=0)
def incoming(read: Reader) -> Incoming:
    """What holds for the calls that any sidecar takes in."""
    return build_incoming(read.fact("entry", "mesh", "mesh"))


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


@rule(rank=6)
def cluster_set(
    read: Reader, own: tuple[OwnCluster, ...], calls: tuple[Call, ...], place: Place
) -> Resources:
    """The clusters of all replicas whose applications listen alike: upstreams', and their own."""
    upstreams = read(merged, upstream_clusters, calls, place)
    return {**upstreams, **{cluster.name: read(encoded, cluster) for cluster in own}}


@rule(rank=7)
def clusters(read: Reader, proxy_id: str) -> Resources:
    """The clusters of a proxy."""
    calls, ir = read(caller, proxy_id), read(sidecar, proxy_id)
    return read(cluster_set, ir.own_clusters, calls.calls, calls.place) if calls and ir else {}


@rule(rank=6)
def listeners(read: Reader, proxy_id: str) -> Resources:
    """The listeners of a proxy: where the mesh finds its application, and where that finds the mesh."""
    calls, ir = read(caller, proxy_id), read(sidecar, proxy_id)
    if calls is None or ir is None:
        return {}
    upstreams = read(upstream_listeners, calls.upstreams, calls.calls, calls.place)
    return {**upstreams, ir.public_listener.name: read(encoded, ir.public_listener)}


@rule(rank=6)
def routes(read: Reader, proxy_id: str) -> Resources:
    """The route configurations of a proxy: of its own service's public listener, and of what it calls."""
    calls, ir = read(caller, proxy_id), read(sidecar, proxy_id)
    if calls is None or ir is None:
        return {}
    upstreams = read(merged, upstream_routes, calls.calls, calls.place)
    return {**upstreams, ir.routes.name: read(encoded, ir.routes)} if ir.routes else upstreams


@rule(rank=0)
def identity(read: Reader, proxy_id: str) -> str:
    """The SPIFFE id of the service that a sidecar stands before; empty when there is none."""
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


def sidecar_view(read: Reader, proxy_id: str) -> ProxyView | None:
    """All that a sidecar should hold; None while it must not be served."""
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

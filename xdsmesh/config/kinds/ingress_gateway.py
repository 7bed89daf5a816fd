"""``ingress-gateway``: ports where a gateway takes in connections from outside the mesh."""

from collections.abc import Iterator
from typing import ClassVar, Final, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Entry, Port, Shape, UInt32
from xdsmesh.config.parts.headers import HeaderModifiers
from xdsmesh.config.parts.sds import SDS
from xdsmesh.config.parts.tls import TLSParameters
from xdsmesh.config.parts.upstream_config import PassiveHealthCheck
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

ALL: Final = "*"
L4: Final = "tcp"


class IngressLimits(Shape, frozen=True):
    """Circuit breakers and outlier detection of the gateway's connections into the mesh."""

    max_connections: UInt32 = 0
    """Connections at a time; 0 is Envoy's default."""
    max_pending_requests: UInt32 = 0
    """Requests that wait for a connection; 0 is Envoy's default."""
    max_concurrent_requests: UInt32 = 0
    """Requests at a time; 0 is Envoy's default."""
    passive_health_check: PassiveHealthCheck | None = None
    """Outlier detection."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the limits."""
        if self.passive_health_check:
            yield from self.passive_health_check.problems(f"{path}.PassiveHealthCheck")


class IngressServiceTLS(Shape, frozen=True):
    """The certificate of one service."""

    sds: SDS = field(default_factory=SDS, name="SDS")
    """Where the certificate for the service's hosts comes from."""


class IngressTLS(TLSParameters, frozen=True):
    """TLS with the callers of a gateway, or of one listener."""

    enabled: bool = False
    """TLS with the gateway's own certificate, which the mesh issues."""
    sds: SDS = field(default_factory=SDS, name="SDS")
    """Another certificate, and where it comes from."""


class IngressService(IngressLimits, frozen=True):
    """A service that can be reached through a listener."""

    name: str = ""
    """The service; `*` is every service that speaks the listener's protocol."""
    hosts: list[str] = field(default_factory=list)
    """The hosts that callers ask for; without any `NAME.ingress.*`."""
    tls: IngressServiceTLS = field(default_factory=IngressServiceTLS, name="TLS")
    """The certificate for these hosts."""
    request_headers: HeaderModifiers | None = None
    """Changes of requests' headers."""
    response_headers: HeaderModifiers | None = None
    """Changes of responses' headers."""
    meta: dict[str, str] = field(default_factory=dict)
    """Notes of its writer."""

    @property
    def needs_http(self) -> dict[str, object]:
        """What only listeners of HTTP can have, by its field."""
        return {
            "Hosts": self.hosts,
            "RequestHeaders": self.request_headers,
            "ResponseHeaders": self.response_headers,
        }

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the service, whatever its listener."""
        yield from super().problems(path)
        yield from rules.name_or_all(f"{path}.Name", self.name)
        yield from rules.meta(f"{path}.Meta", self.meta)
        if self.name == ALL and self.hosts:
            what = 'Hosts can\'t be given for "*": each service has its own'
            yield rules.problem(f"{path}.Hosts", what, "name the service", code=Code.WILDCARD)
        for index, host in enumerate(self.hosts):
            if host != ALL:
                yield from rules.host_name(paths.item(f"{path}.Hosts", index), host, wildcard=True)
        for label, headers in (
            ("RequestHeaders", self.request_headers),
            ("ResponseHeaders", self.response_headers),
        ):
            if headers:
                yield from headers.problems(f"{path}.{label}")


class IngressListener(Shape, frozen=True):
    """A port, and the services behind it."""

    port: Port = 0
    """The port, of which there is one listener."""
    protocol: str = ""
    """`tcp`, `http`, `http2` or `grpc`; without it `tcp`."""
    tls: IngressTLS | None = field(default=None, name="TLS")
    """TLS with callers, instead of that of the gateway."""
    services: list[IngressService] = field(default_factory=list)
    """The services; exactly one if the protocol is `tcp`."""

    def normalize(self) -> Self:
        """The listener with its protocol in lower case."""
        return structs.replace(self, protocol=self.protocol.lower() or L4)

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the listener by itself."""
        yield from rules.port(f"{path}.Port", self.port)
        yield from rules.protocol(f"{path}.Protocol", self.protocol)
        if self.tls:
            yield from self.tls.problems(f"{path}.TLS")
        if not self.services:
            what = "a listener needs at least one service"
            yield rules.problem(f"{path}.Services", what, "add Services", code=Code.REQUIRED)
        for index, service in enumerate(self.services):
            yield from service.problems(paths.item(f"{path}.Services", index))
        yield from rules.unique(f"{path}.Services", [service.name for service in self.services], "Name")
        yield from self._repeated_hosts(path)
        if self.protocol == L4:
            yield from self._l4_problems(f"{path}.Services")

    def _repeated_hosts(self, path: str) -> Iterator[Problem]:
        seen: set[str] = set()
        for index, service in enumerate(self.services):
            for number, host in enumerate(service.hosts):
                if host in seen:
                    at = paths.item(f"{paths.item(f'{path}.Services', index)}.Hosts", number)
                    what = f'the host "{host}" is given twice in this listener'
                    yield rules.problem(at, what, "keep one of them", code=Code.GIVEN_TWICE)
                seen.add(host)

    def _l4_problems(self, path: str) -> Iterator[Problem]:
        remedy = 'remove it, or set Protocol = "http"'
        if len(self.services) > 1:
            what = f"a listener of tcp has exactly one service, not {len(self.services)}"
            yield rules.problem(path, what, "give each a port of its own", code=Code.EXCLUDE_EACH_OTHER)
        for index, service in enumerate(self.services):
            at = paths.item(path, index)
            if service.name == ALL:
                what = 'a listener of tcp can\'t have the service "*"'
                yield rules.problem(f"{at}.Name", what, "name one service", code=Code.WILDCARD)
            for label in (label for label, value in service.needs_http.items() if value):
                what = f"{label} needs a listener of HTTP"
                yield rules.problem(f"{at}.{label}", what, remedy, code=Code.NEEDS_ANOTHER)


class IngressGateway(Entry, frozen=True, kw_only=True):
    """Ports where a gateway takes in connections from outside the mesh; the older kind of gateway."""

    KIND: ClassVar[str] = "ingress-gateway"
    RANK: ClassVar[int] = 6

    tls: IngressTLS = field(default_factory=IngressTLS, name="TLS")
    """TLS with callers, for all listeners."""
    listeners: list[IngressListener] = field(default_factory=list)
    """The ports."""
    defaults: IngressLimits | None = None
    """Limits for all services."""

    def normalize(self) -> Self:
        """The entry with its listeners in canonical form."""
        return structs.replace(self, listeners=[listener.normalize() for listener in self.listeners])

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        yield from self.tls.problems("TLS")
        if self.defaults:
            yield from self.defaults.problems("Defaults")
        for index, listener in enumerate(self.listeners):
            yield from listener.problems(paths.item("Listeners", index))
        yield from rules.unique("Listeners", [listener.port for listener in self.listeners], "Port")
        yield from self._hosts_of_all()
        yield from self._gateway_sds()
        for index, listener in enumerate(self.listeners):
            yield from self._listener_sds(paths.item("Listeners", index), listener)

    def warnings(self) -> Iterator[str]:
        """That nothing serves it."""
        yield "ingress gateways are not served yet: nothing listens on these ports"

    def _hosts_of_all(self) -> Iterator[Problem]:
        """No certificate of the gateway is good for every host."""
        if not self.tls.enabled:
            return
        for index, listener in enumerate(self.listeners):
            for number, service in enumerate(listener.services):
                if ALL in service.hosts:
                    services = f"{paths.item('Listeners', index)}.Services"
                    at = paths.item(f"{paths.item(services, number)}.Hosts", service.hosts.index(ALL))
                    what = 'the host "*" can\'t be given where TLS is enabled'
                    yield rules.problem(at, what, "name the hosts", code=Code.WILDCARD)

    def _gateway_sds(self) -> Iterator[Problem]:
        sds = self.tls.sds
        if sds.cert_resource and not sds.cluster_name:
            yield _sds_problem("TLS.SDS", "CertResource needs ClusterName", "add ClusterName")
        own = [listener.tls is not None and listener.tls.sds.cert_resource for listener in self.listeners]
        if sds.cluster_name and not sds.cert_resource and not all(own):
            what = "ClusterName needs CertResource, here or in every listener"
            yield _sds_problem("TLS.SDS", what, "add CertResource")

    def _listener_sds(self, path: str, listener: IngressListener) -> Iterator[Problem]:
        sds = listener.tls.sds if listener.tls else SDS()
        cluster = sds.cluster_name or self.tls.sds.cluster_name
        if sds.cluster_name and not sds.cert_resource:
            yield _sds_problem(f"{path}.TLS.SDS", "ClusterName needs CertResource", "add CertResource")
        if sds.cert_resource and not cluster:
            what = "CertResource needs ClusterName, here or in TLS.SDS of the gateway"
            yield _sds_problem(f"{path}.TLS.SDS", what, "add ClusterName")
        for index, service in enumerate(listener.services):
            yield from _service_sds(paths.item(f"{path}.Services", index), service, cluster)


def _service_sds(path: str, service: IngressService, cluster: str) -> Iterator[Problem]:
    """``cluster`` is what the listener or the gateway say."""
    sds = service.tls.sds
    if sds.cert_resource and not service.hosts:
        yield _sds_problem(f"{path}.TLS.SDS", "CertResource needs Hosts that it is for", "add Hosts")
    if sds.cert_resource and not (sds.cluster_name or cluster):
        what = "CertResource needs ClusterName, here or in TLS.SDS of the listener or the gateway"
        yield _sds_problem(f"{path}.TLS.SDS", what, "add ClusterName")
    if sds.cluster_name and not sds.cert_resource:
        yield _sds_problem(f"{path}.TLS.SDS", "ClusterName needs CertResource", "add CertResource")


def _sds_problem(path: str, what: str, remedy: str) -> Problem:
    return rules.problem(path, what, remedy, code=Code.NEEDS_ANOTHER)

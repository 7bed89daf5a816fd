"""Who issues the tokens that requests show, and where the keys are: what a ``jwt-provider`` entry means."""

from base64 import b64decode
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from xdsmesh.config.kinds.jwt_provider import JWTProvider
from xdsmesh.config.parts.jwks import SYSTEM_ROOTS, JWKSCluster, LocalJWKS, RemoteJWKS, RetryPolicy, TrustedCA
from xdsmesh.ir import names
from xdsmesh.model.duration import Duration

_REQUEST_TIMEOUT: Final = Duration.of(seconds=5)
"""Envoy has no default, and would wait for ever."""

_CONNECT_TIMEOUT: Final = Duration.of(seconds=5)
_SHORTEST: Final = Duration.of(milliseconds=1)
"""Envoy refuses shorter times."""

_BASE_INTERVAL: Final = Duration.of(seconds=1)
_PORTS: Final = {"http": 80, "https": 443}
_STRICT_DNS: Final = "STRICT_DNS"
_FED_BY_NOBODY: Final = frozenset({"EDS", "ORIGINAL_DST"})


@dataclass(frozen=True, slots=True)
class HeaderToken:
    """A header with a token behind a prefix, such as ``Bearer ``."""

    name: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class TokenLocations:
    """Where a token may be; with none of them where Envoy looks by itself.

    That is ``Authorization: Bearer``, then the query parameter ``access_token``.
    """

    headers: tuple[HeaderToken, ...] = ()
    query_parameters: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalKeys:
    """A JSON Web Key Set: its text, or a file on the machine of the proxy."""

    text: str = ""
    filename: str = ""


@dataclass(frozen=True, slots=True)
class FetchRetries:
    """Tries after the first one, and the time between them; ``attempts`` of 0 is Envoy's default."""

    attempts: int = 0
    base_interval: Duration | None = None
    max_interval: Duration | None = None


@dataclass(frozen=True, slots=True)
class RemoteKeys:
    """A JSON Web Key Set that Envoy fetches from a ``uri`` by a cluster.

    A listener that ``waits`` opens when they were fetched, or could not be.
    """

    uri: str
    cluster: str
    request_timeout: Duration
    waits: bool
    cache_duration: Duration | None = None
    retries: FetchRetries | None = None


@dataclass(frozen=True, slots=True)
class JwtProvider:
    """Whose tokens are verified, and how.

    An empty ``issuer`` is anyone who has the keys; no ``audiences`` are any. ``forwards_token`` leaves the
    token in the request. ``payload_header`` tells the application the claims. ``cache_size`` is how many
    tokens are remembered, 0 as many as Envoy likes, None none.
    """

    name: str
    issuer: str
    keys: LocalKeys | RemoteKeys
    clock_skew_seconds: int
    audiences: tuple[str, ...] = ()
    locations: TokenLocations = TokenLocations()
    forwards_token: bool = False
    payload_header: str = ""
    pads_payload: bool = False
    cache_size: int | None = None


@dataclass(frozen=True, slots=True)
class Roots:
    """Certificates in PEM that vouch for a server: one of these.

    Raises:
        ValueError: there are none; Envoy would then accept any server.
    """

    filename: str = ""
    environment_variable: str = ""
    text: str = ""
    content: bytes = b""

    def __post_init__(self) -> None:
        if not (self.filename or self.environment_variable or self.text or self.content):
            raise ValueError("no certificates vouch for the server that has the keys")


@dataclass(frozen=True, slots=True)
class ServerTls:
    """A server outside the mesh proves that it is ``host``, a DNS name or an IP address."""

    host: str
    is_ip: bool
    roots: Roots


@dataclass(frozen=True, slots=True)
class JwksCluster:
    """Who has the keys of a ``provider``. ``discovery`` is Envoy's word for how its addresses are found."""

    provider: str
    host: str
    port: int
    discovery: str
    connect_timeout: Duration
    tls: ServerTls | None = None

    @property
    def name(self) -> str:
        """The name of the cluster."""
        return names.jwks_cluster(self.provider)


_SYSTEM_ROOTS: Final = Roots(filename=SYSTEM_ROOTS)


def build_jwt_provider(entry: JWTProvider) -> JwtProvider | None:
    """What a proxy does to verify a provider's tokens; None if it is not told of any keys."""
    keys = _keys(entry)
    if keys is None:
        return None
    headers = [location.header for location in entry.locations if location.header]
    parameters = [location.query_param.name for location in entry.locations if location.query_param]
    cookies = [location.cookie.name for location in entry.locations if location.cookie]
    return JwtProvider(
        name=entry.name,
        issuer=entry.issuer,
        keys=keys,
        clock_skew_seconds=entry.clock_skew_seconds,
        audiences=tuple(entry.audiences),
        locations=TokenLocations(
            tuple(HeaderToken(header.name, header.value_prefix) for header in headers),
            tuple(parameters),
            tuple(cookies),
        ),
        forwards_token=any(header.forward for header in headers),
        payload_header=entry.forwarding.header_name if entry.forwarding else "",
        pads_payload=entry.forwarding.pad_forward_payload_header if entry.forwarding else False,
        cache_size=entry.cache_config.size if entry.cache_config else None,
    )


def build_jwks_cluster(entry: JWTProvider) -> JwksCluster | None:
    """Where a proxy fetches a provider's keys; None if they are at hand, or nobody would say where."""
    remote = entry.json_web_key_set.remote if entry.json_web_key_set else None
    if remote is None:
        return None
    wanted = remote.jwks_cluster or JWKSCluster()
    if wanted.discovery_type in _FED_BY_NOBODY:
        return None  # such an entry is refused; one that is there all the same has no keys
    uri = urlsplit(remote.uri)
    host = uri.hostname or ""
    return JwksCluster(
        provider=entry.name,
        host=host,
        port=uri.port or _PORTS[uri.scheme],
        discovery=wanted.discovery_type or _STRICT_DNS,
        connect_timeout=wanted.connect_timeout or _CONNECT_TIMEOUT,
        tls=_tls(host, wanted) if uri.scheme == "https" else None,
    )


def _keys(entry: JWTProvider) -> LocalKeys | RemoteKeys | None:
    keys = entry.json_web_key_set
    if keys is not None and keys.remote is not None:
        return _remote(entry.name, keys.remote)
    return _local(keys.local) if keys is not None and keys.local is not None else None


def _local(keys: LocalJWKS) -> LocalKeys:
    """A text that is no UTF-8 is no JSON either: Envoy takes no listener with it."""
    return LocalKeys(_decoded(keys.jwks).decode(errors="replace"), keys.filename)


def _remote(provider: str, keys: RemoteJWKS) -> RemoteKeys:
    return RemoteKeys(
        uri=keys.uri,
        cluster=names.jwks_cluster(provider),
        request_timeout=Duration.of(milliseconds=keys.request_timeout_ms) or _REQUEST_TIMEOUT,
        waits=not keys.fetch_asynchronously,
        cache_duration=_given(keys.cache_duration),
        retries=_retries(keys.retry_policy) if keys.retry_policy else None,
    )


def _retries(policy: RetryPolicy) -> FetchRetries:
    back_off = policy.retry_policy_back_off
    if back_off is None:
        return FetchRetries(policy.num_retries)
    base, longest = _given(back_off.base_interval), _given(back_off.max_interval)
    if longest is not None and base is None:
        base = min(_BASE_INTERVAL, longest)  # Envoy wants to know it
    return FetchRetries(policy.num_retries, base, longest)


def _given(duration: Duration) -> Duration | None:
    """A time that Envoy takes; None if there is none."""
    return max(duration, _SHORTEST) if duration > Duration() else None


def _tls(host: str, wanted: JWKSCluster) -> ServerTls:
    trusted = wanted.tls_certificates.trusted_ca if wanted.tls_certificates else None
    address = _address(host)
    return ServerTls(address or host, bool(address), _roots(trusted) if trusted else _SYSTEM_ROOTS)


def _roots(trusted: TrustedCA) -> Roots:
    return Roots(
        filename=trusted.filename,
        environment_variable=trusted.environment_variable,
        text=trusted.inline_string,
        content=_decoded(trusted.inline_bytes),
    )


def _address(host: str) -> str:
    """An IP address as it stands in certificates; empty if it is a name."""
    try:
        return ip_address(host).compressed
    except ValueError:
        return ""


def _decoded(base64: str) -> bytes:
    return b64decode("".join(base64.splitlines()))

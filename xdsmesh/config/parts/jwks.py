"""The keys that tokens are signed with, RFC 7517: at hand, or fetched by Envoy."""

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import ClassVar, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import field

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Shape, UInt32
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem

SYSTEM_ROOTS: Final = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian, Alpine and Envoy's own images have the roots of the public; Envoy can't look for them."""

_WITHOUT_ADDRESSES: Final = ("EDS", "ORIGINAL_DST")
KEY_TYPES: Final = ("RSA", "EC", "oct", "OKP")


class _Key(msgspec.Struct, frozen=True):
    """A key, of which only the type is looked at."""

    kty: str


class _KeySet(msgspec.Struct, frozen=True):
    """What is in the base64."""

    keys: list[_Key]


DISCOVERY_TYPES: Final = ("", "STRICT_DNS", "STATIC", "LOGICAL_DNS", *_WITHOUT_ADDRESSES)


class LocalJWKS(Shape, frozen=True):
    """Keys at hand: exactly one of these."""

    jwks: str = field(default="", name="JWKS")
    """The key set, in base64."""
    filename: str = ""
    """A file with the key set, on the machine of each proxy."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the keys."""
        yield from rules.exactly_one(path, {"JWKS": self.jwks, "Filename": self.filename})
        yield from _base64(f"{path}.JWKS", self.jwks)

    def warnings(self) -> Iterator[str]:
        """What Envoy will not like: it refuses the listener of whoever asks for such tokens."""
        if self.jwks and not _has_key(self.jwks):
            types = ", ".join(KEY_TYPES)
            yield f"Local.JWKS is no key set with a key of {types}: Envoy takes no listener with it"


class BackOff(Shape, frozen=True):
    """The time between tries, which grows."""

    base_interval: Duration = Duration()
    """Before the second try; 0 is Envoy's default."""
    max_interval: Duration = Duration()
    """At most; 0 is Envoy's default."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the times."""
        yield from rules.not_negative(f"{path}.BaseInterval", self.base_interval)
        yield from rules.not_negative(f"{path}.MaxInterval", self.max_interval)
        if Duration() < self.max_interval < self.base_interval:
            what = f"MaxInterval {self.max_interval} is less than BaseInterval {self.base_interval}"
            yield rules.problem(f"{path}.MaxInterval", what, "raise it", code=Code.OUT_OF_RANGE)


class RetryPolicy(Shape, frozen=True):
    """What is done when the keys can't be fetched."""

    num_retries: UInt32 = 0
    """How often it is tried again; 0 is Envoy's default."""
    retry_policy_back_off: BackOff | None = None
    """The time between tries."""


class TrustedCA(Shape, frozen=True):
    """Certificates at hand: exactly one of these."""

    filename: str = ""
    """A file in PEM, on the machine of each proxy."""
    environment_variable: str = ""
    """A variable of each proxy's environment."""
    inline_string: str = ""
    """The certificates in PEM."""
    inline_bytes: str = ""
    """The certificates in base64."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the certificates."""
        given = {
            "Filename": self.filename,
            "EnvironmentVariable": self.environment_variable,
            "InlineString": self.inline_string,
            "InlineBytes": self.inline_bytes,
        }
        yield from rules.exactly_one(path, given)
        yield from _base64(f"{path}.InlineBytes", self.inline_bytes)


class JWKSTLS(Shape, frozen=True):
    """What the certificate of who has the keys is checked against."""

    REFUSED: ClassVar[Mapping[str, str]] = {
        "CaCertificateProviderInstance": "no proxy's bootstrap has such providers; "
        "use TrustedCA, or leave TLSCertificates out to trust the roots of each proxy's system",
    }

    trusted_ca: TrustedCA | None = field(default=None, name="TrustedCA")
    """Certificates at hand."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the certificates."""
        if self.trusted_ca is None:
            what = f"{paths.label(path)} needs TrustedCA"
            yield rules.problem(path, what, "add it, or leave the block out", code=Code.REQUIRED)
        else:
            yield from self.trusted_ca.problems(f"{path}.TrustedCA")


class JWKSCluster(Shape, frozen=True):
    """How Envoy connects to who has the keys."""

    discovery_type: str = ""
    """How its addresses are found, in Envoy's words; without it `STRICT_DNS`."""
    tls_certificates: JWKSTLS | None = field(default=None, name="TLSCertificates")
    """What its certificate is checked against; else `/etc/ssl/certs/ca-certificates.crt` of each proxy."""
    connect_timeout: Duration = Duration()
    """How long a connection may take to be made; 0 is 5 s."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the cluster."""
        yield from rules.one_of(f"{path}.DiscoveryType", self.discovery_type, DISCOVERY_TYPES)
        yield from rules.not_negative(f"{path}.ConnectTimeout", self.connect_timeout)
        if self.tls_certificates:
            yield from self.tls_certificates.problems(f"{path}.TLSCertificates")


class RemoteJWKS(Shape, frozen=True):
    """Keys that Envoy fetches."""

    uri: str = field(default="", name="URI")
    """Where they are; the whole address."""
    request_timeout_ms: UInt32 = 0
    """How many milliseconds an answer may take; 0 is 5 s."""
    cache_duration: Duration = Duration()
    """How long they are good for; 0 is Envoy's default."""
    fetch_asynchronously: bool = False
    """A proxy takes requests before it has them; until then their tokens are wrong."""
    retry_policy: RetryPolicy | None = None
    """What is done when they can't be fetched."""
    jwks_cluster: JWKSCluster | None = field(default=None, name="JWKSCluster")
    """How Envoy connects."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the address, the times and the cluster."""
        yield from rules.required(f"{path}.URI", self.uri)
        if self.uri:
            yield from rules.web_address(f"{path}.URI", self.uri)
        yield from rules.not_negative(f"{path}.CacheDuration", self.cache_duration)
        if self.retry_policy and self.retry_policy.retry_policy_back_off:
            at = f"{path}.RetryPolicy.RetryPolicyBackOff"
            yield from self.retry_policy.retry_policy_back_off.problems(at)
        if self.jwks_cluster:
            yield from self.jwks_cluster.problems(f"{path}.JWKSCluster")
            yield from self._discovery(f"{path}.JWKSCluster.DiscoveryType", self.jwks_cluster.discovery_type)

    @property
    def trusts_system(self) -> bool:
        """Whether the server's certificate is checked against the roots of the proxy's system."""
        tls = self.jwks_cluster.tls_certificates if self.jwks_cluster else None
        return self.uri.startswith("https:") and tls is None

    def _discovery(self, path: str, kind: str) -> Iterator[Problem]:
        """Whether the addresses of the host can be found so."""
        if kind in _WITHOUT_ADDRESSES:
            what = f'nothing gives the addresses of who has the keys to a cluster of the type "{kind}"'
            yield rules.problem(path, what, 'use "STRICT_DNS"', code=Code.NOT_FOR_US)
        elif kind == "STATIC" and not _is_address(self.uri):
            what = 'a cluster of the type "STATIC" needs an IP address, and the host of URI is a name'
            yield rules.problem(path, what, 'use "STRICT_DNS"', code=Code.ADDRESS)


class JSONWebKeySet(Shape, frozen=True):
    """The keys: exactly one of these."""

    local: LocalJWKS | None = None
    """Keys at hand."""
    remote: RemoteJWKS | None = None
    """Keys that Envoy fetches."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the keys."""
        given = {"Local": self.local is not None, "Remote": self.remote is not None}
        yield from rules.exactly_one(path, given)
        if self.local is not None:
            yield from self.local.problems(f"{path}.Local")
        if self.remote is not None:
            yield from self.remote.problems(f"{path}.Remote")


def _is_address(uri: str) -> bool:
    """Whether the host is an IP address; of a URI that is none something else is said."""
    try:
        ip_address(urlsplit(uri).hostname or "0.0.0.0")  # noqa: S104 - nothing listens here
    except ValueError:
        return False
    return True


def _has_key(text: str) -> bool:
    """Whether there is a key as RFC 7517 section 5 has them."""
    try:
        keys = msgspec.json.decode(b64decode("".join(text.splitlines())), type=_KeySet).keys
    except (msgspec.MsgspecError, ValueError):
        return False
    return any(key.kty in KEY_TYPES for key in keys)


def _base64(path: str, text: str) -> Iterator[Problem]:
    """Base64 of RFC 4648 section 4, or nothing; in lines if need be, as `base64` writes it."""
    try:
        b64decode("".join(text.splitlines()), validate=True)
    except (binascii.Error, ValueError):
        what = f"{paths.label(path)} is not base64"
        yield rules.problem(path, what, "encode it, as with `base64 -w0`", code=Code.JWKS)

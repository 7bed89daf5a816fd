"""``jwt-provider``: somebody who issues tokens, and how the tokens are found and verified."""

from collections.abc import Iterator
from typing import ClassVar, Final, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Entry, Shape, UInt32
from xdsmesh.config.parts.jwks import SYSTEM_ROOTS, JSONWebKeySet
from xdsmesh.model.errors import Problem

CLOCK_SKEW_SECONDS: Final = 30


class HeaderLocation(Shape, frozen=True):
    """A header that holds a token."""

    name: str = ""
    """The header."""
    value_prefix: str = ""
    """What stands before the token, such as `Bearer `."""
    forward: bool = False
    """The token is left in the request, wherever it was; otherwise one that is right is taken out."""


class QueryParamLocation(Shape, frozen=True):
    """A query parameter that holds a token."""

    name: str = ""
    """The parameter."""


class CookieLocation(Shape, frozen=True):
    """A cookie that holds a token."""

    name: str = ""
    """The cookie."""


class Location(Shape, frozen=True):
    """Where a token may be: exactly one of a header, a query parameter, a cookie."""

    header: HeaderLocation | None = None
    """A header."""
    query_param: QueryParamLocation | None = None
    """A query parameter."""
    cookie: CookieLocation | None = None
    """A cookie."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the location."""
        given = {"Header": self.header, "QueryParam": self.query_param, "Cookie": self.cookie}
        yield from rules.exactly_one(path, {label: value is not None for label, value in given.items()})
        for label, value in given.items():
            if value is not None:
                yield from rules.required(f"{path}.{label}.Name", value.name)
                yield from rules.single_line(f"{path}.{label}.Name", value.name)
        if self.header and self.header.name:
            yield from rules.header_name(f"{path}.Header.Name", self.header.name, pseudo=False)
        if self.header:
            yield from rules.single_line(f"{path}.Header.ValuePrefix", self.header.value_prefix)


class Forwarding(Shape, frozen=True):
    """How the service is told what the token says."""

    header_name: str = ""
    """The header with the token's claims, in base64url."""
    pad_forward_payload_header: bool = False
    """The base64url is padded."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the header."""
        yield from rules.required(f"{path}.HeaderName", self.header_name)
        if self.header_name:
            yield from rules.header_name(f"{path}.HeaderName", self.header_name, pseudo=False)


class CacheConfig(Shape, frozen=True):
    """Tokens that were verified before."""

    size: UInt32 = 0
    """How many of them are remembered; 0 is Envoy's default."""


class JWTProvider(Entry, frozen=True, kw_only=True):
    """Somebody who issues tokens, RFC 7519, and how the tokens are found and verified."""

    KIND: ClassVar[str] = "jwt-provider"
    RANK: ClassVar[int] = 0

    issuer: str = ""
    """What a token's `iss` must be."""
    audiences: list[str] = field(default_factory=list)
    """One of these must be a token's `aud`; none is any."""
    json_web_key_set: JSONWebKeySet | None = field(default=None, name="JSONWebKeySet")
    """The keys that tokens are signed with."""
    locations: list[Location] = field(default_factory=list)
    """Where a token may be; without any `Authorization: Bearer`, then the parameter `access_token`."""
    forwarding: Forwarding | None = None
    """How the service is told what the token says."""
    clock_skew_seconds: UInt32 = 0
    """How far the issuer's clock may be off; 0 is 30."""
    cache_config: CacheConfig | None = None
    """Tokens that were verified before."""

    def normalize(self) -> Self:
        """The entry with the default clock skew."""
        return structs.replace(self, clock_skew_seconds=self.clock_skew_seconds or CLOCK_SKEW_SECONDS)

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        yield from (self.json_web_key_set or JSONWebKeySet()).problems("JSONWebKeySet")
        for index, location in enumerate(self.locations):
            yield from location.problems(paths.item("Locations", index))
        if self.forwarding:
            yield from self.forwarding.problems("Forwarding")

    def warnings(self) -> Iterator[str]:
        """What each proxy's machine must have, and keys that are none."""
        if self.json_web_key_set and self.json_web_key_set.local:
            yield from self.json_web_key_set.local.warnings()
        remote = self.json_web_key_set.remote if self.json_web_key_set else None
        if remote and remote.trusts_system:
            yield f"without TLSCertificates each proxy must have {SYSTEM_ROOTS}, or no token is right"

    def name_problems(self) -> Iterator[Problem]:
        """What is wrong with the name, which is not a service's."""
        yield from rules.free_name("Name", self.name)

"""``http-route``: where the requests of a gateway's listeners go, by what they ask for."""

from collections.abc import Iterator
from typing import ClassVar, Final, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Entry, Shape, UInt32
from xdsmesh.config.parts import http, route_parents
from xdsmesh.config.parts.headers import HeaderModifiers
from xdsmesh.config.parts.resource_reference import ResourceReference
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem

PATH_MATCHES: Final = ("exact", "prefix", "regex")
HEADER_MATCHES: Final = ("exact", "prefix", "suffix", "present", "regex")
QUERY_MATCHES: Final = ("exact", "present", "regex")

_WITHOUT_VALUE: Final = frozenset({"present", "exact"})


class PathMatch(Shape, frozen=True):
    """A condition on the path; empty is every path."""

    match: str = ""
    """`exact`, `prefix` or `regex`; without it `prefix`."""
    value: str = ""
    """The path, its beginning, or a regular expression of RE2 for the whole of it."""

    def normalize(self) -> Self:
        """The condition in words: every path begins with a slash."""
        if self == PathMatch():
            return structs.replace(self, match="prefix", value="/")
        return structs.replace(self, match=self.match or "prefix")

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the condition."""
        yield from rules.one_of(f"{path}.Match", self.match, PATH_MATCHES)
        yield from rules.required(f"{path}.Value", self.value)
        yield from rules.single_line(f"{path}.Value", self.value)
        if self.match == "regex":
            yield from rules.regex(f"{path}.Value", self.value)
        else:
            yield from rules.begins_with_slash(f"{path}.Value", self.value)


class HeaderMatch(Shape, frozen=True):
    """A condition on a header."""

    match: str = ""
    """`exact`, `prefix`, `suffix`, `present` or `regex`."""
    name: str = ""
    """The header."""
    value: str = ""
    """What the header's value is compared with."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the condition."""
        if self.name:
            yield from rules.header_name(f"{path}.Name", self.name)
        yield from _match_problems(path, self, HEADER_MATCHES)


class QueryMatch(Shape, frozen=True):
    """A condition on a query parameter."""

    match: str = ""
    """`exact`, `present` or `regex`."""
    name: str = ""
    """The parameter."""
    value: str = ""
    """What the parameter's value is compared with."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the condition."""
        yield from _match_problems(path, self, QUERY_MATCHES)


class HTTPRouteMatch(Shape, frozen=True):
    """What a request looks like: all of this."""

    path: PathMatch = field(default_factory=PathMatch)
    """A condition on the path; without it every path."""
    headers: list[HeaderMatch] = field(default_factory=list)
    """Conditions on headers, which must all hold."""
    query: list[QueryMatch] = field(default_factory=list)
    """Conditions on query parameters, which must all hold."""
    method: str = ""
    """The method; empty is any."""

    def normalize(self) -> Self:
        """The match with an upper-case method, and every path in words."""
        return structs.replace(self, path=self.path.normalize(), method=self.method.upper())

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the conditions."""
        yield from self.path.problems(f"{path}.Path")
        for index, header in enumerate(self.headers):
            yield from header.problems(paths.item(f"{path}.Headers", index))
        for index, parameter in enumerate(self.query):
            yield from parameter.problems(paths.item(f"{path}.Query", index))
        yield from rules.one_of(f"{path}.Method", self.method, ("", *http.METHODS))


class URLRewrite(Shape, frozen=True):
    """Another path."""

    path: str = ""
    """What the matched path, or its matched beginning, is replaced by."""


class RetryFilter(Shape, frozen=True):
    """When requests are tried again."""

    num_retries: UInt32 = 0
    """How often; 0 is Envoy's default."""
    retry_on: list[str] = field(default_factory=list)
    """Conditions in Envoy's words."""
    retry_on_status_codes: list[UInt32] = field(default_factory=list)
    """Status codes of responses."""
    retry_on_connect_failure: bool = False
    """When no connection could be made."""


class TimeoutFilter(Shape, frozen=True):
    """How long requests may take."""

    request_timeout: Duration = Duration()
    """The whole of a request, with its retries."""
    idle_timeout: Duration = Duration()
    """A request of which nothing moves."""


class ResponseFilters(Shape, frozen=True):
    """What is done to responses."""

    headers: list[HeaderModifiers] = field(default_factory=list)
    """Changes of headers."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the filters."""
        for index, modifiers in enumerate(self.headers):
            yield from modifiers.problems(paths.item(f"{path}.Headers", index))


class RequestFilters(ResponseFilters, frozen=True):
    """What is done to requests."""

    ENTERPRISE: ClassVar[frozenset[str]] = frozenset({"JWT"})

    url_rewrite: URLRewrite | None = field(default=None, name="URLRewrite")
    """Another path."""
    retry_filter: RetryFilter | None = None
    """When they are tried again."""
    timeout_filter: TimeoutFilter | None = None
    """How long they may take."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the filters."""
        yield from super().problems(path)
        if self.url_rewrite:
            yield from rules.single_line(f"{path}.URLRewrite.Path", self.url_rewrite.path)
        if self.retry_filter:
            yield from http.retry_problems(f"{path}.RetryFilter.RetryOn", self.retry_filter.retry_on)


class HTTPRouteService(Shape, frozen=True):
    """A service that requests go to."""

    name: str = ""
    """The service."""
    weight: int = 0
    """Its share, relative to the other services of the rule; without it, or below it, 1."""
    filters: RequestFilters = field(default_factory=RequestFilters)
    """What is done to requests for this service, besides what the rule says."""
    response_filters: ResponseFilters = field(default_factory=ResponseFilters)
    """What is done to its responses."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the service."""
        yield from rules.name(f"{path}.Name", self.name)
        yield from self.filters.problems(f"{path}.Filters")
        yield from self.response_filters.problems(f"{path}.ResponseFilters")


class HTTPRouteRule(Shape, frozen=True):
    """Requests, and where they go."""

    matches: list[HTTPRouteMatch] = field(default_factory=list)
    """What the requests look like; one of these is enough, and none is every request."""
    filters: RequestFilters = field(default_factory=RequestFilters)
    """What is done to the requests."""
    response_filters: ResponseFilters = field(default_factory=ResponseFilters)
    """What is done to their responses."""
    services: list[HTTPRouteService] = field(default_factory=list)
    """Where the requests go."""

    def normalize(self) -> Self:
        """The rule with its matches in canonical form, and a weight for every service."""
        weighed = [
            structs.replace(each, weight=each.weight if each.weight > 0 else 1) for each in self.services
        ]
        return structs.replace(self, matches=[match.normalize() for match in self.matches], services=weighed)

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the rule."""
        for index, match in enumerate(self.matches):
            yield from match.problems(paths.item(f"{path}.Matches", index))
        yield from self.filters.problems(f"{path}.Filters")
        yield from self.response_filters.problems(f"{path}.ResponseFilters")
        for index, service in enumerate(self.services):
            yield from service.problems(paths.item(f"{path}.Services", index))


class HTTPRoute(Entry, frozen=True, kw_only=True):
    """Where the requests of a gateway's listeners go, by what they ask for."""

    KIND: ClassVar[str] = "http-route"
    RANK: ClassVar[int] = 7
    IGNORED: ClassVar[frozenset[str]] = Entry.IGNORED | {"Status"}

    parents: list[ResourceReference] = field(default_factory=list)
    """The gateways, and the listeners by their names if not all."""
    hostnames: list[str] = field(default_factory=list)
    """The hosts that callers ask for; none is every host of the listener."""
    rules: list[HTTPRouteRule] = field(default_factory=list)
    """Which requests go where."""

    def normalize(self) -> Self:
        """The entry with the kind of its parents, and its rules in canonical form."""
        return structs.replace(
            self,
            parents=route_parents.normalized(self.parents),
            rules=[rule.normalize() for rule in self.rules],
        )

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        yield from route_parents.problems(self.parents)
        for index, host in enumerate(self.hostnames):
            yield from rules.host_name(paths.item("Hostnames", index), host)
        for index, rule in enumerate(self.rules):
            yield from rule.problems(paths.item("Rules", index))

    def name_problems(self) -> Iterator[Problem]:
        """What is wrong with the name, which is not a service's."""
        yield from rules.free_name("Name", self.name)

    def warnings(self) -> Iterator[str]:
        """That nothing serves it."""
        yield "API gateways are not served yet: no request takes this route"


def _match_problems(path: str, match: HeaderMatch | QueryMatch, words: tuple[str, ...]) -> Iterator[Problem]:
    """What is wrong with the word of a condition, and with its value."""
    yield from rules.required(f"{path}.Name", match.name)
    yield from rules.required(f"{path}.Match", match.match)
    yield from rules.one_of(f"{path}.Match", match.match, ("", *words))
    if match.match in words and match.match not in _WITHOUT_VALUE:
        yield from rules.required(f"{path}.Value", match.value)
    if match.match == "regex":
        yield from rules.regex(f"{path}.Value", match.value)

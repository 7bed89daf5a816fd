"""``service-router``: where the requests of one service's callers go, by what they ask for."""

from collections.abc import Iterator
from typing import ClassVar, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Entry, Shape, UInt32
from xdsmesh.config.parts.headers import HeaderModifiers
from xdsmesh.config.parts.http import method_problems, path_problems, retry_problems
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem


class HeaderMatch(Shape, frozen=True):
    """A condition on a header: exactly one of present, exact, prefix, suffix, regex."""

    name: str = ""
    """The header."""
    present: bool = False
    """Whether it must be there, with any value."""
    exact: str = ""
    """Its whole value."""
    prefix: str = ""
    """How its value begins."""
    suffix: str = ""
    """How its value ends."""
    regex: str = ""
    """What its whole value must match, in RE2."""
    invert: bool = False
    """The opposite is asked for."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the condition."""
        if self.name:
            yield from rules.header_name(f"{path}.Name", self.name)
        else:
            what = "a match on a header needs the header's Name"
            yield rules.problem(path, what, "add Name", code=Code.REQUIRED)
        conditions: dict[str, str | bool] = {
            "Present": self.present,
            "Exact": self.exact,
            "Prefix": self.prefix,
            "Suffix": self.suffix,
            "Regex": self.regex,
        }
        yield from rules.exactly_one(path, conditions)
        yield from rules.regex(f"{path}.Regex", self.regex)


class QueryParamMatch(Shape, frozen=True):
    """A condition on a query parameter: exactly one of present, exact, regex."""

    name: str = ""
    """The parameter."""
    present: bool = False
    """Whether it must be there, with any value."""
    exact: str = ""
    """Its whole value."""
    regex: str = ""
    """What its whole value must match, in RE2."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the condition."""
        if not self.name:
            what = "a match on a query parameter needs its Name"
            yield rules.problem(path, what, "add Name", code=Code.REQUIRED)
        yield from rules.exactly_one(
            path, {"Present": self.present, "Exact": self.exact, "Regex": self.regex}
        )
        yield from rules.regex(f"{path}.Regex", self.regex)


class HTTPMatch(Shape, frozen=True):
    """What a request must look like; at most one of the three paths, and all of the rest."""

    path_exact: str = ""
    """The whole path; it begins with `/`."""
    path_prefix: str = ""
    """How the path begins; it begins with `/`."""
    path_regex: str = ""
    """What the whole path must match, in RE2."""
    case_insensitive: bool = False
    """Whether paths are compared in any case."""
    header: list[HeaderMatch] = field(default_factory=list)
    """Conditions on headers; all must hold."""
    query_param: list[QueryParamMatch] = field(default_factory=list)
    """Conditions on parameters of the query; all must hold."""
    methods: list[str] = field(default_factory=list)
    """The methods, in any case; empty is all."""
    prefix_rewrite: str = ""
    """The older place of ``Destination.PrefixRewrite``; ``normalize`` moves it there."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the conditions."""
        yield from path_problems(path, exact=self.path_exact, prefix=self.path_prefix, regex=self.path_regex)
        for index, header in enumerate(self.header):
            yield from header.problems(paths.item(f"{path}.Header", index))
        for index, parameter in enumerate(self.query_param):
            yield from parameter.problems(paths.item(f"{path}.QueryParam", index))
        yield from method_problems(f"{path}.Methods", self.methods)


class Match(Shape, frozen=True):
    """The conditions of a route, by protocol."""

    http: HTTPMatch | None = field(default=None, name="HTTP")
    """Conditions on HTTP requests."""


class Destination(Shape, frozen=True):
    """Where matching requests go, and how; an empty service is the router's own."""

    service: str = ""
    """The service; empty is the router's own."""
    service_subset: str = ""
    """A subset of it, which is not split any further."""
    prefix_rewrite: str = ""
    """What the path or prefix that matched is replaced by."""
    request_timeout: Duration = Duration()
    """How long an answer may take, with all retries; negative is for ever."""
    idle_timeout: Duration = Duration()
    """How long a request may stay without any data; negative is for ever."""
    num_retries: UInt32 = 0
    """How often a request is tried again."""
    retry_on_connect_failure: bool = False
    """Try again when connecting fails."""
    retry_on: list[str] = field(default_factory=list)
    """Further conditions to try again on, by Envoy's names."""
    retry_on_status_codes: list[UInt32] = field(default_factory=list)
    """Try again on answers with these codes."""
    request_headers: HeaderModifiers | None = None
    """Changes to the headers of requests."""
    response_headers: HeaderModifiers | None = None
    """Changes to the headers of answers."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the destination by itself."""
        yield from rules.reference(f"{path}.Service", self.service)
        yield from rules.single_line(f"{path}.PrefixRewrite", self.prefix_rewrite)
        yield from retry_problems(f"{path}.RetryOn", self.retry_on)
        for label, headers in (
            ("RequestHeaders", self.request_headers),
            ("ResponseHeaders", self.response_headers),
        ):
            if headers:
                yield from headers.problems(f"{path}.{label}")


class Route(Shape, frozen=True):
    """One rule; no match at all takes every request."""

    match: Match | None = None
    """What a request must look like; without it all do."""
    destination: Destination | None = None
    """Where it goes; without it to the router's own service."""

    def normalize(self) -> Self:
        """The route with upper-case methods, and with ``PrefixRewrite`` in its place if only one has it."""
        http = self.match.http if self.match else None
        if http is None:
            return self
        destination = self.destination or Destination()
        if http.prefix_rewrite and not destination.prefix_rewrite:
            destination = structs.replace(destination, prefix_rewrite=http.prefix_rewrite)
            http = structs.replace(http, prefix_rewrite="")
        http = structs.replace(http, methods=[method.upper() for method in http.methods])
        given = destination if self.destination or destination.prefix_rewrite else None
        return structs.replace(self, match=Match(http), destination=given)

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the route."""
        http = (self.match.http if self.match else None) or HTTPMatch()
        destination = self.destination or Destination()
        yield from http.problems(f"{path}.Match.HTTP")
        yield from destination.problems(f"{path}.Destination")
        if http.prefix_rewrite:
            what = "PrefixRewrite is given in Match.HTTP and in Destination"
            remedy = "keep the one in Destination"
            yield rules.problem(
                f"{path}.Match.HTTP.PrefixRewrite", what, remedy, code=Code.EXCLUDE_EACH_OTHER
            )
        elif destination.prefix_rewrite and not (http.path_exact or http.path_prefix):
            what = "PrefixRewrite needs the path that it replaces"
            remedy = "add PathPrefix or PathExact to Match.HTTP"
            yield rules.problem(f"{path}.Match.HTTP", what, remedy, code=Code.NEEDS_ANOTHER)


class ServiceRouter(Entry, frozen=True, kw_only=True):
    """Rules in order; the first that matches decides."""

    KIND: ClassVar[str] = "service-router"
    RANK: ClassVar[int] = 5

    routes: list[Route] = field(default_factory=list)
    """The rules; what none matches goes to the router's own service."""

    def normalize(self) -> Self:
        """The entry with every route in its canonical form."""
        return structs.replace(self, routes=[route.normalize() for route in self.routes])

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        for index, route in enumerate(self.routes):
            yield from route.problems(paths.item("Routes", index))

    def references(self) -> frozenset[str]:
        """The other services that requests may go to."""
        return frozenset(route.destination.service for route in self.routes if route.destination) - {
            "",
            self.name,
        }

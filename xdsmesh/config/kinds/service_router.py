"""``service-router``: where the requests of one service's callers go, by what they ask for."""

from collections.abc import Iterator
from typing import ClassVar, Final, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Entry, Shape, UInt32
from xdsmesh.config.parts.headers import HeaderModifiers
from xdsmesh.config.wording import quoted
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE")

RETRY_CONDITIONS: Final = (
    "5xx",
    "gateway-error",
    "reset",
    "connect-failure",
    "envoy-ratelimited",
    "retriable-4xx",
    "refused-stream",
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
)


class HeaderMatch(Shape, frozen=True):
    """A condition on a header: exactly one of present, exact, prefix, suffix, regex."""

    name: str = ""
    present: bool = False
    exact: str = ""
    prefix: str = ""
    suffix: str = ""
    regex: str = ""
    invert: bool = False

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the condition."""
        if self.name:
            yield from rules.header_name(f"{path}.Name", self.name)
        else:
            yield rules.problem(path, "a match on a header needs the header's Name", "add Name")
        conditions: dict[str, str | bool] = {
            "Present": self.present,
            "Exact": self.exact,
            "Prefix": self.prefix,
            "Suffix": self.suffix,
            "Regex": self.regex,
        }
        yield from _exactly_one(path, conditions)
        yield from rules.regex(f"{path}.Regex", self.regex)


class QueryParamMatch(Shape, frozen=True):
    """A condition on a query parameter: exactly one of present, exact, regex."""

    name: str = ""
    present: bool = False
    exact: str = ""
    regex: str = ""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the condition."""
        if not self.name:
            yield rules.problem(path, "a match on a query parameter needs its Name", "add Name")
        yield from _exactly_one(path, {"Present": self.present, "Exact": self.exact, "Regex": self.regex})
        yield from rules.regex(f"{path}.Regex", self.regex)


class HTTPMatch(Shape, frozen=True):
    """What a request must look like; at most one of the three paths, and all of the rest."""

    path_exact: str = ""
    path_prefix: str = ""
    path_regex: str = ""
    case_insensitive: bool = False
    header: list[HeaderMatch] = field(default_factory=list)
    query_param: list[QueryParamMatch] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    prefix_rewrite: str = ""
    """The older place of ``Destination.PrefixRewrite``; ``normalize`` moves it there."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the conditions."""
        given = {"PathExact": self.path_exact, "PathPrefix": self.path_prefix, "PathRegex": self.path_regex}
        named = [label for label, value in given.items() if value]
        if len(named) > 1:
            yield rules.problem(path, f"{' and '.join(named)} exclude each other", "keep one of them")
        for label in ("PathExact", "PathPrefix"):
            yield from rules.single_line(f"{path}.{label}", given[label])
            if given[label] and not given[label].startswith("/"):
                yield rules.problem(
                    f"{path}.{label}", f'{label} must begin with "/"', f'write "/{given[label]}"'
                )
        yield from rules.regex(f"{path}.PathRegex", self.path_regex)
        for index, header in enumerate(self.header):
            yield from header.problems(paths.item(f"{path}.Header", index))
        for index, parameter in enumerate(self.query_param):
            yield from parameter.problems(paths.item(f"{path}.QueryParam", index))
        yield from self._method_problems(f"{path}.Methods")

    def _method_problems(self, path: str) -> Iterator[Problem]:
        for index, method in enumerate(self.methods):
            if method not in METHODS:
                what, remedy = f"{quoted(method)} is not an HTTP method", f"use one of {', '.join(METHODS)}"
                yield rules.problem(paths.item(path, index), what, remedy)
            elif method in self.methods[:index]:
                yield rules.problem(paths.item(path, index), f"{method} is given twice", "keep one of them")


class Match(Shape, frozen=True):
    """The conditions of a route, by protocol."""

    http: HTTPMatch | None = field(default=None, name="HTTP")


class Destination(Shape, frozen=True):
    """Where matching requests go, and how; an empty service is the router's own."""

    service: str = ""
    service_subset: str = ""
    prefix_rewrite: str = ""
    request_timeout: Duration = Duration()
    idle_timeout: Duration = Duration()
    num_retries: UInt32 = 0
    retry_on_connect_failure: bool = False
    retry_on: list[str] = field(default_factory=list)
    retry_on_status_codes: list[UInt32] = field(default_factory=list)
    request_headers: HeaderModifiers | None = None
    response_headers: HeaderModifiers | None = None

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the destination by itself."""
        yield from rules.reference(f"{path}.Service", self.service)
        yield from rules.single_line(f"{path}.PrefixRewrite", self.prefix_rewrite)
        for index, condition in enumerate(self.retry_on):
            if condition not in RETRY_CONDITIONS:
                what, remedy = (
                    f"{quoted(condition)} is no condition to retry on",
                    f"use one of {', '.join(RETRY_CONDITIONS)}",
                )
                yield rules.problem(paths.item(f"{path}.RetryOn", index), what, remedy)
        for label, headers in (
            ("RequestHeaders", self.request_headers),
            ("ResponseHeaders", self.response_headers),
        ):
            if headers:
                yield from headers.problems(f"{path}.{label}")


class Route(Shape, frozen=True):
    """One rule; no match at all takes every request."""

    match: Match | None = None
    destination: Destination | None = None

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
            yield rules.problem(f"{path}.Match.HTTP.PrefixRewrite", what, "keep the one in Destination")
        elif destination.prefix_rewrite and not (http.path_exact or http.path_prefix):
            what = "PrefixRewrite needs the path that it replaces"
            yield rules.problem(f"{path}.Match.HTTP", what, "add PathPrefix or PathExact to Match.HTTP")


class ServiceRouter(Entry, frozen=True, kw_only=True):
    """Rules in order; the first that matches decides."""

    KIND: ClassVar[str] = "service-router"
    RANK: ClassVar[int] = 4

    routes: list[Route] = field(default_factory=list)

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


def _exactly_one(path: str, conditions: dict[str, str | bool]) -> Iterator[Problem]:
    given = [label for label, value in conditions.items() if value]
    if len(given) > 1:
        yield rules.problem(path, f"{' and '.join(given)} exclude each other", "keep one of them")
    elif not given:
        yield rules.problem(path, "there is no condition", f"add one of {', '.join(conditions)}")

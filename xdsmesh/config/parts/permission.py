"""What a source may ask of a service over HTTP, or may not."""

from collections.abc import Iterator
from typing import Final, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Shape
from xdsmesh.config.parts import http
from xdsmesh.config.parts.jwt_requirement import JWTRequirement
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

ACTIONS: Final = ("allow", "deny")


class HeaderPermission(Shape, frozen=True):
    """A condition on a header: exactly one of present, exact, prefix, suffix, contains, regex."""

    name: str = ""
    """The header."""
    present: bool = False
    """The header is there, with any value."""
    exact: str = ""
    """The value is this one."""
    prefix: str = ""
    """The value begins with this."""
    suffix: str = ""
    """The value ends with this."""
    contains: str = ""
    """The value holds this."""
    regex: str = ""
    """The whole value matches this regular expression of RE2."""
    invert: bool = False
    """The condition must not hold."""
    ignore_case: bool = False
    """Upper and lower case are the same; not with `Present` and `Regex`."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the condition."""
        yield from rules.required(f"{path}.Name", self.name)
        if self.name:
            yield from rules.header_name(f"{path}.Name", self.name)
        if self.name.lower() == ":path":
            what = "a condition on the header :path would be evaded by another spelling of the path"
            remedy = "use PathExact, PathPrefix or PathRegex, which see it in its normal form"
            yield rules.problem(f"{path}.Name", what, remedy, code=Code.EXCLUDE_EACH_OTHER)
        given: dict[str, str | bool] = {
            "Present": self.present,
            "Exact": self.exact,
            "Prefix": self.prefix,
            "Suffix": self.suffix,
            "Contains": self.contains,
            "Regex": self.regex,
        }
        yield from rules.exactly_one(path, given)
        yield from rules.regex(f"{path}.Regex", self.regex)
        if self.ignore_case and (self.present or self.regex):
            what = f"IgnoreCase has no meaning beside {'Present' if self.present else 'Regex'}"
            remedy = "remove it" if self.present else 'remove it, and begin Regex with "(?i)"'
            yield rules.problem(f"{path}.IgnoreCase", what, remedy, code=Code.EXCLUDE_EACH_OTHER)


class HTTPPermission(Shape, frozen=True):
    """What a request looks like: at most one of the three paths, and all of the rest."""

    path_exact: str = ""
    """The path is this one."""
    path_prefix: str = ""
    """The path begins with this."""
    path_regex: str = ""
    """The whole path matches this regular expression of RE2."""
    header: list[HeaderPermission] = field(default_factory=list)
    """Conditions on headers, which must all hold."""
    methods: list[str] = field(default_factory=list)
    """The method is one of these; none is any method."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the conditions."""
        if self == HTTPPermission():
            what = "HTTP holds no condition"
            yield rules.problem(path, what, 'add one, such as PathPrefix = "/"', code=Code.REQUIRED)
        yield from http.path_problems(
            path, exact=self.path_exact, prefix=self.path_prefix, regex=self.path_regex
        )
        for index, header in enumerate(self.header):
            yield from header.problems(paths.item(f"{path}.Header", index))
        yield from http.method_problems(f"{path}.Methods", self.methods)


class Permission(Shape, frozen=True):
    """An action for the requests that match."""

    action: str = ""
    """`allow` or `deny`."""
    http: HTTPPermission | None = field(default=None, name="HTTP")
    """The requests that this is about."""
    jwt: JWTRequirement | None = field(default=None, name="JWT")
    """The token that they must carry, besides."""

    def normalize(self) -> Self:
        """The permission with methods in upper case."""
        if self.http is None:
            return self
        methods = [method.upper() for method in self.http.methods]
        return structs.replace(self, http=structs.replace(self.http, methods=methods))

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the permission."""
        yield from rules.required(f"{path}.Action", self.action)
        yield from rules.one_of(f"{path}.Action", self.action, ("", *ACTIONS))
        if self.http is None:
            what = "a permission needs the HTTP requests that it is about"
            yield rules.problem(f"{path}.HTTP", what, "add HTTP { ... }", code=Code.REQUIRED)
        else:
            yield from self.http.problems(f"{path}.HTTP")
        if self.jwt:
            yield from self.jwt.problems(f"{path}.JWT")

"""``service-intentions``: who may call a service, and what they may ask of it."""

from collections.abc import Iterator
from typing import ClassVar, Final, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Entry, Shape
from xdsmesh.config.parts.jwt_requirement import JWTRequirement
from xdsmesh.config.parts.permission import ACTIONS, Permission
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

ALL: Final = "*"
TYPE: Final = "consul"

_MAX_DESCRIPTION: Final = 512
_MAX_PERMISSIONS: Final = 128
"""Envoy is told of each together with those before it: the cost grows with the square of their number."""
_TO_ONE: Final = 9
_TO_ALL: Final = 6


class SourceIntention(Shape, frozen=True):
    """A caller, and what it may do: an action for everything, or permissions in order."""

    name: str = ""
    """The calling service; `*` is every service."""
    peer: str = ""
    """The peer that the caller lives in; empty is this cluster."""
    action: str = ""
    """`allow` or `deny`, unless there are permissions."""
    permissions: list[Permission] = field(default_factory=list)
    """What the caller may ask over HTTP; the first that matches a request decides."""
    precedence: int = 0
    """Computed: 9 for one caller of one service, less for `*`. What is written here is ignored."""
    type: str = ""
    """How callers are known; only `consul`, which is also the default."""
    description: str = ""
    """What this is for, in at most 512 characters."""
    legacy_meta: dict[str, str] = field(default_factory=dict)
    """Notes of a writer who used Consul's older calls for single intentions; here it must be empty."""
    legacy_id: str = field(default="", name="LegacyID")
    """The id by which those calls know the intention. What is written here is ignored."""
    legacy_create_time: str = ""
    """When they made it. What is written here is ignored."""
    legacy_update_time: str = ""
    """When they last changed it. What is written here is ignored."""

    @property
    def identity(self) -> tuple[str, str]:
        """What makes the caller another one: its name and its peer."""
        return self.name, self.peer

    def to(self, destination: str) -> Self:
        """The intention in its canonical form, with its precedence.

        Whoever writes an entry takes its intentions over from the older calls: their ids are forgotten.
        """
        return structs.replace(
            self,
            precedence=(_TO_ALL if destination == ALL else _TO_ONE) - (self.name == ALL),
            permissions=[permission.normalize() for permission in self.permissions],
            type=self.type or TYPE,
            legacy_id="",
            legacy_create_time="",
            legacy_update_time="",
        )

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the intention by itself."""
        yield from rules.name_or_all(f"{path}.Name", self.name)
        yield from _peer(f"{path}.Peer", self.peer)
        yield from self._verdict(path)
        yield from rules.one_of(f"{path}.Type", self.type, (TYPE,))
        if (count := len(self.permissions)) > _MAX_PERMISSIONS:
            what = f"a source has at most {_MAX_PERMISSIONS} permissions, not {count}"
            remedy = "use a prefix or a regular expression in place of several paths"
            yield rules.problem(f"{path}.Permissions", what, remedy, code=Code.TOO_LONG)
        for index, permission in enumerate(self.permissions):
            yield from permission.problems(paths.item(f"{path}.Permissions", index))
        if len(self.description) > _MAX_DESCRIPTION:
            what = (
                f"Description has {len(self.description)} characters; at most {_MAX_DESCRIPTION} are allowed"
            )
            yield rules.problem(f"{path}.Description", what, "shorten it", code=Code.TOO_LONG)
        if self.legacy_meta:
            what = "LegacyMeta is of Consul's older intentions, and can't be written"
            yield rules.problem(f"{path}.LegacyMeta", what, "use Meta of the entry", code=Code.NOT_BUILT)

    def _verdict(self, path: str) -> Iterator[Problem]:
        """Exactly one of an action and permissions."""
        yield from rules.one_of(f"{path}.Action", self.action, ("", *ACTIONS))
        yield from rules.exactly_one(path, {"Action": self.action, "Permissions": self.permissions})


class ServiceIntentions(Entry, frozen=True, kw_only=True):
    """Who may call a service, whose name is the entry's, or all services (`*`)."""

    KIND: ClassVar[str] = "service-intentions"
    RANK: ClassVar[int] = 6

    sources: list[SourceIntention] = field(default_factory=list)
    """The callers; kept in the order of their precedence, the highest first."""
    jwt: JWTRequirement | None = field(default=None, name="JWT")
    """The token that every caller must show."""

    def normalize(self) -> Self:
        """The entry with precedences, upper-case methods, and the type of every source."""
        return structs.replace(self, sources=[source.to(self.name) for source in self.sources])

    def arranged(self) -> Self:
        """The entry with its sources by precedence; equal ones stay in their order."""
        ordered = sorted(self.sources, key=lambda source: source.precedence, reverse=True)
        return structs.replace(self, sources=ordered)

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        if not self.sources:
            what = "service-intentions need at least one source"
            yield rules.problem("Sources", what, "add Sources", code=Code.REQUIRED)
        for index, source in enumerate(self.sources):
            path = paths.item("Sources", index)
            yield from source.problems(path)
            if source.permissions and self.name == ALL:
                what = "Permissions can't be given for all services at once, as not all of them speak HTTP"
                remedy = "write an entry for each service"
                yield rules.problem(f"{path}.Permissions", what, remedy, code=Code.WILDCARD)
        yield from rules.unique("Sources", [source.identity for source in self.sources], "Name and Peer")
        if self.jwt:
            yield from self.jwt.problems("JWT")

    def name_problems(self) -> Iterator[Problem]:
        """What is wrong with the name of the service that is called."""
        yield from rules.name_or_all("Name", self.name)

    @property
    def providers(self) -> frozenset[str]:
        """The names of the token providers that the entry needs."""
        permissions = (each.jwt for source in self.sources for each in source.permissions)
        return frozenset().union(*(jwt.names for jwt in (self.jwt, *permissions) if jwt))

    @property
    def has_permissions(self) -> bool:
        """Whether the service must speak HTTP for this to be enforceable."""
        return any(source.permissions for source in self.sources)

    @property
    def needs_tokens(self) -> bool:
        """Whether all callers of one service must show a token, which is found in requests only."""
        return self.jwt is not None and self.name != ALL


def _peer(path: str, peer: str) -> Iterator[Problem]:
    if ALL in peer:
        what = 'Peer must be one peer, not "*"'
        yield rules.problem(path, what, "write a source for each peer", code=Code.WILDCARD)
    else:
        yield from rules.plain_name(path, peer)

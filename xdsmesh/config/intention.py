"""A single intention, as callers of the HTTP API write it; it is kept as a part of an entry."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Final

from msgspec import field

from xdsmesh.config import rules
from xdsmesh.config.entry import Definition
from xdsmesh.config.kinds.service_intentions import ALL, SourceIntention
from xdsmesh.config.parts.jwt_requirement import JWTRequirement
from xdsmesh.config.parts.permission import Permission
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

DEFAULT: Final = "default"
"""The only namespace and partition."""

_WHOLE: Final = "the intention"
_NAMES: Final = {"Type": "SourceType"}
"""What is called otherwise here than in an entry."""


class IntentionBody(Definition, frozen=True):
    """What is wanted of one pair of services, whose names come with the call."""

    IGNORED: ClassVar[frozenset[str]] = frozenset(
        {
            "ID",
            "Precedence",
            "CreatedAt",
            "UpdatedAt",
            "Hash",
            "CreateIndex",
            "ModifyIndex",
            "WriteRequest",
        }
    )

    source_name: str = ""
    source_peer: str = ""
    source_type: str = ""
    source_ns: str = field(default="", name="SourceNS")
    source_partition: str = ""
    destination_name: str = ""
    destination_ns: str = field(default="", name="DestinationNS")
    destination_partition: str = ""
    action: str = ""
    permissions: list[Permission] = field(default_factory=list)
    description: str = ""
    meta: dict[str, str] = field(default_factory=dict)
    jwt: JWTRequirement | None = field(default=None, name="JWT")

    def source(self, name: str, peer: str, destination: str) -> SourceIntention:
        """The caller as an entry for the destination holds it."""
        source = SourceIntention(
            name=name,
            peer=peer,
            action=self.action,
            permissions=self.permissions,
            type=self.source_type,
            description=self.description,
        )
        return source.to(destination)

    def problems(self) -> Iterator[Problem]:
        """What is wrong with it, whatever services it is about."""
        for label, value in (
            ("SourceNS", self.source_ns),
            ("SourcePartition", self.source_partition),
            ("DestinationNS", self.destination_ns),
            ("DestinationPartition", self.destination_partition),
        ):
            yield from rules.one_of(label, value, ("", DEFAULT))
        for problem in self.source(ALL, "", "").problems(_WHOLE):
            path = problem.place.path.removeprefix(_WHOLE).removeprefix(".")
            yield replace(problem, place=replace(problem.place, path=_NAMES.get(path, path)))
        if self.jwt:
            yield from self.jwt.problems("JWT")


class LegacyIntentionBody(IntentionBody, frozen=True):
    """An intention of Consul's older calls: it names its services, and has a Meta of its own."""

    id: str = field(default="", name="ID")

    def problems(self) -> Iterator[Problem]:
        """What is wrong with it, but for its names."""
        yield from super().problems()
        yield from rules.required("SourceName", self.source_name)
        yield from rules.required("DestinationName", self.destination_name)
        yield from rules.meta("Meta", self.meta)
        if self.permissions or self.jwt:
            what = "calls by id know neither Permissions nor JWT"
            remedy = "use PUT /v1/connect/intentions/exact, or write the service-intentions entry"
            yield rules.problem(
                "Permissions" if self.permissions else "JWT", what, remedy, code=Code.NOT_BUILT
            )

"""What all config entries have in common.

An entry is a frozen msgspec struct. Its fields are the names people write, in PascalCase at the edge and
snake_case here; the codec accepts both spellings, in any case, and coerces weakly typed scalars.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Self

from msgspec import Meta, Struct, field

from xdsmesh.config import rules
from xdsmesh.model.errors import Problem

UInt32 = Annotated[int, Meta(ge=0, le=2**32 - 1)]
"""A whole number as protobuf's uint32 holds it."""

UInt64 = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""A whole number as protobuf's uint64 holds it, as far as ours go."""

Opaque = dict[str, Any]
"""An object whose keys are somebody else's: any JSON values, kept as they were written."""

Port = Annotated[int, Meta(ge=0, le=65535)]
"""A TCP port; 0 is "not given"."""


class Shape(Struct, frozen=True, rename="pascal", omit_defaults=True, forbid_unknown_fields=True):
    """The base of entries and of every object inside them. Every field has a default.

    ``UNBUILT`` are fields of Consul that we know and have not built yet, and ``ENTERPRISE`` those of its
    Enterprise edition (besides namespaces and the like, which the codec knows for all shapes); both are
    refused by name unless they are empty. So are the ``REFUSED``, which will not be built, each for a reason.
    ``IGNORED`` are keys that may stand there and mean nothing. ``REST`` is the name of an ``Opaque`` field
    that takes in all keys that are no fields; without it they are refused. ``WHOLE`` is the name of one that
    has every key as it was written, also those of fields.
    """

    UNBUILT: ClassVar[frozenset[str]] = frozenset()
    ENTERPRISE: ClassVar[frozenset[str]] = frozenset()
    REFUSED: ClassVar[Mapping[str, str]] = {}
    IGNORED: ClassVar[frozenset[str]] = frozenset()
    REST: ClassVar[str] = ""
    WHOLE: ClassVar[str] = ""


class Definition(Shape, frozen=True):
    """The base of what is written as a whole: config entries and service definitions."""

    def normalize(self) -> Self:
        """The definition with its defaults applied and its words in canonical case."""
        return self

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized definition by itself; each ``Place`` has just a field path."""
        yield from ()

    def arranged(self) -> Self:
        """A definition that is right, in the order in which it is kept; its problems have the written one."""
        return self


class Entry(Definition, frozen=True, kw_only=True):
    """The base of every kind. ``KIND`` is the word that people write.

    ``RANK`` orders writes of several entries so that none needs one that comes later: what the mesh allows,
    protocols, resolvers, splitters, routers, what is about services, and last what is about gateways.
    """

    KIND: ClassVar[str]
    RANK: ClassVar[int]
    IGNORED: ClassVar[frozenset[str]] = frozenset({"Kind", "CreateIndex", "ModifyIndex", "Hash"})

    name: str = ""
    """What the entry is about, or what others call it."""
    meta: dict[str, str] = field(default_factory=dict)
    """Notes of its writer: at most 64 pairs, with keys of 128 and values of 512 characters."""

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from self.name_problems()
        yield from rules.meta("Meta", self.meta)

    def name_problems(self) -> Iterator[Problem]:
        """What is wrong with the name; most entries have that of a service."""
        yield from rules.name("Name", self.name)

    def warnings(self) -> Iterator[str]:
        """What of a right entry will not do what its writer hopes, each in a sentence about the entry."""
        yield from ()

    def references(self) -> frozenset[str]:
        """The other services that this entry names, and whose chains it may therefore shape."""
        return frozenset()

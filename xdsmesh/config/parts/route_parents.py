"""The gateways that serve a route."""

from collections.abc import Iterator, Sequence
from typing import Final

from xdsmesh.config import paths, rules
from xdsmesh.config.parts.resource_reference import ResourceReference
from xdsmesh.model.errors import Problem

PARENT: Final = "api-gateway"


def normalized(parents: Sequence[ResourceReference]) -> list[ResourceReference]:
    """The parents with the only kind that they can have."""
    return [parent.or_kind(PARENT) for parent in parents]


def problems(parents: Sequence[ResourceReference]) -> Iterator[Problem]:
    """What is wrong with the ``Parents`` of a route."""
    for index, parent in enumerate(parents):
        path = paths.item("Parents", index)
        yield from rules.one_of(f"{path}.Kind", parent.kind, (PARENT,))
        yield from rules.required(f"{path}.Name", parent.name)
    yield from rules.unique("Parents", parents, "gateway and section")

"""``tcp-route``: where the connections of a gateway's listener go."""

from collections.abc import Iterator
from typing import ClassVar, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Entry, Shape
from xdsmesh.config.parts import route_parents
from xdsmesh.config.parts.resource_reference import ResourceReference
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem


class TCPRouteService(Shape, frozen=True):
    """A service that connections go to."""

    name: str = ""
    """The service."""


class TCPRoute(Entry, frozen=True, kw_only=True):
    """Where the connections of a gateway's listener go."""

    KIND: ClassVar[str] = "tcp-route"
    RANK: ClassVar[int] = 7
    IGNORED: ClassVar[frozenset[str]] = Entry.IGNORED | {"Status"}

    parents: list[ResourceReference] = field(default_factory=list)
    """The gateways, and the listeners by their names if not all."""
    services: list[TCPRouteService] = field(default_factory=list)
    """The service; at most one."""

    def normalize(self) -> Self:
        """The entry with the kind of its parents."""
        return structs.replace(self, parents=route_parents.normalized(self.parents))

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        yield from route_parents.problems(self.parents)
        if len(self.services) > 1:
            what = f"a tcp-route has at most one service, not {len(self.services)}"
            yield rules.problem("Services", what, "keep one of them", code=Code.EXCLUDE_EACH_OTHER)
        for index, service in enumerate(self.services):
            yield from rules.name(f"{paths.item('Services', index)}.Name", service.name)

    def name_problems(self) -> Iterator[Problem]:
        """What is wrong with the name, which is not a service's."""
        yield from rules.free_name("Name", self.name)

    def warnings(self) -> Iterator[str]:
        """That nothing serves it."""
        yield "API gateways are not served yet: no connection takes this route"

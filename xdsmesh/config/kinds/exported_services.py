"""``exported-services``: which services other meshes may call; a single entry named ``default``."""

from collections.abc import Iterator
from typing import ClassVar, Final, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Entry, Shape
from xdsmesh.config.wording import quoted
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

NAME: Final = "default"
PARTITION: Final = "default"


class ServiceConsumer(Shape, frozen=True):
    """Who may call a service."""

    peer: str = ""
    """The other mesh, by the name that it has here."""
    peer_name: str = ""
    """Another word for `Peer`."""
    partition: str = ""
    """A part of this cluster, of which there is only `default`."""

    def normalize(self) -> Self:
        """The consumer with its peer under the first of its names."""
        return structs.replace(self, peer=self.peer or self.peer_name, peer_name="")

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the consumer."""
        yield from rules.exactly_one(path, {"Peer": self.peer, "Partition": self.partition})
        if "*" in self.peer:
            what = 'Peer must be one peer, not "*"'
            yield rules.problem(f"{path}.Peer", what, "name each peer", code=Code.WILDCARD)
        else:
            yield from rules.plain_name(f"{path}.Peer", self.peer)
        if self.partition not in ("", PARTITION):
            what = "Partition is a feature of Consul Enterprise, which this is not"
            yield rules.problem(f"{path}.Partition", what, "remove it", code=Code.ENTERPRISE)


class ExportedService(Shape, frozen=True):
    """A service, and who may call it."""

    name: str = ""
    """The service; `*` is every service."""
    consumers: list[ServiceConsumer] = field(default_factory=list)
    """Who may call it; at least one."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the service."""
        yield from rules.name_or_all(f"{path}.Name", self.name)
        if not self.consumers:
            what = "an exported service needs at least one consumer"
            yield rules.problem(f"{path}.Consumers", what, "add Consumers", code=Code.REQUIRED)
        for index, consumer in enumerate(self.consumers):
            yield from consumer.problems(paths.item(f"{path}.Consumers", index))


class ExportedServices(Entry, frozen=True, kw_only=True):
    """Which services other meshes may call. The name is always `default`."""

    KIND: ClassVar[str] = "exported-services"
    RANK: ClassVar[int] = 6

    services: list[ExportedService] = field(default_factory=list)
    """The services."""

    def normalize(self) -> Self:
        """The entry with each peer under one name."""
        services = [
            structs.replace(service, consumers=[consumer.normalize() for consumer in service.consumers])
            for service in self.services
        ]
        return structs.replace(self, services=services)

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        for index, service in enumerate(self.services):
            yield from service.problems(paths.item("Services", index))

    def name_problems(self) -> Iterator[Problem]:
        """Whether the entry has its only name."""
        if not self.name:
            yield rules.problem("Name", "Name is required", f'add Name = "{NAME}"', code=Code.REQUIRED)
        elif self.name != NAME:
            what = f'there is one exported-services, named "{NAME}", not {quoted(self.name)}'
            yield rules.problem("Name", what, f'write Name = "{NAME}"', code=Code.NAME)

    def warnings(self) -> Iterator[str]:
        """That nobody is served."""
        yield "services are not exported yet: other meshes can't call them"

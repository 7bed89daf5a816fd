"""What narrows a list down: a name in the path, ``?filter``, ``?tag``, ``?node-meta`` and ``?near``."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self, TypeVar

from litestar.exceptions import ClientException
from msgspec import Struct

from xdsmesh.api.request import AnyRequest, tail
from xdsmesh.catalog.stored import Stored
from xdsmesh.catalog.view import CatalogView
from xdsmesh.config.filter import INSTANCE, FilterSyntaxError, FilterTypeError, Object, instances, rows
from xdsmesh.model.catalog import Instance, Node

_AGENT: Final = "_agent"
"""What ``?near`` calls the node of the server that is asked."""

R = TypeVar("R")
S = TypeVar("S", bound=Struct)


def name_in_path(request: AnyRequest, whose: str) -> str:
    """The name at the end of the path, of a service or whatever it is.

    Raises:
        ClientException: the path ends before it.
    """
    name = tail(request) if request.path_params else ""
    if not name:
        raise ClientException(f"Missing {whose} name: add it to the path")
    return name


def filter_of(request: AnyRequest, shape: type[S]) -> Callable[[S], bool]:
    """Which rows of this shape ``?filter`` asks for.

    Raises:
        ClientException: it is no filter, or it selects what such rows do not have.
    """
    return _read_filter(request, lambda text: rows(text, shape))


def instance_filter_of(request: AnyRequest, row: Object = INSTANCE) -> Callable[[Instance], bool]:
    """Which instances ``?filter`` asks for, by the selectors of rows such as these; else of health rows.

    Raises:
        ClientException: it is no filter, or it selects what instances do not have.
    """
    return _read_filter(request, lambda text: instances(text, row))


def _read_filter(request: AnyRequest, read: Callable[[str], Callable[[R], bool]]) -> Callable[[R], bool]:
    try:
        return read(request.query_params.get("filter") or "")
    except (FilterSyntaxError, FilterTypeError) as error:
        raise ClientException(f"Failed to create boolean expression evaluator: {error}") from error


@dataclass(frozen=True, slots=True)
class NodeQuestion:
    """Nodes that have some ``Meta``. Those of a ``?peer`` are asked for in vain: this mesh has no peers."""

    meta: Mapping[str, str]
    peer: str = ""

    @classmethod
    def of(cls, request: AnyRequest) -> Self:
        """Read it from ``?node-meta=key:value``, perhaps repeated, and ``?peer``."""
        given = request.query_params.getall("node-meta", [])
        meta = {key: value for key, _, value in (each.partition(":") for each in given)}
        return cls(meta, request.query_params.get("peer") or "")

    @property
    def is_open(self) -> bool:
        """It asks for every node."""
        return not self.meta and not self.peer

    def asks_for(self, node: Node) -> bool:
        """Whether a node is one of them."""
        return not self.peer and self.meta.items() <= node.meta.items()


def nearest_first(
    request: AnyRequest, view: CatalogView, rows: Iterable[R], node_of: Callable[[R], str]
) -> list[R]:
    """Rows with those on the node first that ``?near`` names; distances between nodes are not known."""
    near = request.query_params.get("near") or ""
    if near == _AGENT:
        near = view.own_node()
    folded = near.casefold()
    return sorted(rows, key=lambda row: node_of(row).casefold() != folded) if near else list(rows)


@dataclass(frozen=True, slots=True)
class ServiceQuestion:
    """The instances of a service, by name, that have all of some tags, on some nodes.

    Letter case of name and tags is ignored.
    """

    name: str
    tags: frozenset[str]
    nodes: NodeQuestion

    @classmethod
    def of(cls, request: AnyRequest) -> Self:
        """Read it from a path and its parameters.

        Raises:
            ClientException: the path names no service.
        """
        tags = frozenset(tag.casefold() for tag in request.query_params.getall("tag", []))
        return cls(name_in_path(request, "service"), tags, NodeQuestion.of(request))

    def narrow(self, found: Iterable[Stored[Instance]]) -> list[Stored[Instance]]:
        """Those of the instances that it asks for."""
        return [each for each in found if self._asks_for(each.value)]

    def _asks_for(self, instance: Instance) -> bool:
        has = {tag.casefold() for tag in instance.tags} if self.tags else self.tags
        return self.tags <= has and self.nodes.asks_for(instance.node)

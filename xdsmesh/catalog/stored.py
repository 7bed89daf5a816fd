"""A value of the catalog as it is stored."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from xdsmesh.model.origin import Origin

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Stored(Generic[T_co]):
    """A value of the catalog, who wrote it, and the revisions of its creation and its last change."""

    value: T_co
    origin: Origin
    created: int
    modified: int

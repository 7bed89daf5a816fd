"""What a handler says of itself for the OpenAPI document, in ``@get(path, opt=doc(...))``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from litestar.status_codes import HTTP_200_OK

KEY: Final = "doc"
"""Where a handler's ``opt`` has its declaration."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something that a caller says in the query string or, where it is a part of it, in the path."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    where: Literal["query", "path"] = "query"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What goes in and what comes out: types of msgspec, which ``None`` stands for nothing.

    ``statuses`` are those under which the reply comes, and ``errors`` those that come with a text instead,
    besides 400. What the handler does is said by its docstring.
    """

    parameters: tuple[Parameter, ...]
    body: Any
    reply: Any
    statuses: tuple[int, ...]
    errors: tuple[int, ...]


def doc(
    *parameters: Parameter,
    body: Any = None,
    reply: Any = None,
    statuses: tuple[int, ...] = (HTTP_200_OK,),
    errors: tuple[int, ...] = (),
) -> dict[str, Any]:
    """Declare a route, as the ``opt`` of its handler; the arguments are those of ``Declaration``."""
    return {KEY: Declaration(parameters, body, reply, statuses, errors)}

"""The OpenAPI document, made from what the handlers declare and from the types that they name."""

import inspect
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final

from litestar.handlers import HTTPRouteHandler
from litestar.status_codes import (
    HTTP_400_BAD_REQUEST,
    HTTP_403_FORBIDDEN,
    HTTP_404_NOT_FOUND,
    HTTP_409_CONFLICT,
)

from xdsmesh import __version__
from xdsmesh.api.openapi.declare import KEY, Declaration, Parameter
from xdsmesh.api.openapi.parameters import COMMON, HASH, INDEX
from xdsmesh.api.openapi.schemas import Schemas, make_schemas

_API: Final = "xdsmesh.api."
_VARIABLE: Final = re.compile(r"\{(\w+)(?::\w+)?\}")
_OTHERWISE: Final = 0
"""Stands for any other status."""
_ERRORS: Final = {
    HTTP_400_BAD_REQUEST: "What is wrong with the request, a line for each problem.",
    HTTP_403_FORBIDDEN: "What the token that was shown does not allow, or that one is missing.",
    HTTP_404_NOT_FOUND: "What is not there.",
    HTTP_409_CONFLICT: "Who else owns what was to be changed, such as a file, or what needs it as it is.",
    _OTHERWISE: "Why there is no other answer. 500: a fault of the server, or there is no such datacenter;"
    " 503: another datacenter is out of reach.",
}
_WHOLE: Final = {"type": "integer", "minimum": 1}
_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Consul-Index": {
        "description": "The revision that last changed what was read; give it back as `?index=` to wait.",
        "required": True,
        "schema": _WHOLE,
    },
    "X-Consul-KnownLeader": {"description": "Always true.", "required": True, "schema": {"const": "true"}},
    "X-Consul-LastContact": {"description": "Always 0.", "required": True, "schema": {"const": "0"}},
    "X-Consul-ContentHash": {
        "description": "What was read has this hash; give it back as `?hash=` to wait.",
        "required": True,
        "schema": {"type": "string"},
    },
}
_TOLD_BY: Final = (
    (INDEX, ("X-Consul-Index", "X-Consul-KnownLeader", "X-Consul-LastContact")),
    (HASH, ("X-Consul-ContentHash",)),
)
"""The headers that come with what waits, by the parameter that it waits by."""
_DESCRIPTION: Final = """\
Paths and shapes are Consul's, so that its clients need no change; those under `/v1/xdsmesh` are our own.

Keys of bodies are shown in PascalCase, and may be written in any case and in snake_case. Errors are texts for
people; a mistake of a caller is never answered with a status from 500 on, but for an unknown datacenter.
"""


class Document:
    """The document of some routes; it is made when it is first asked for.

    Raises:
        ValueError: a route is not declared, or not rightly.
    """

    def __init__(self, handlers: Sequence[HTTPRouteHandler]) -> None:
        self._handlers = handlers

    @cached_property
    def content(self) -> dict[str, Any]:
        """The document as plain values."""
        declared = [(handler, declaration_of(handler)) for handler in self._handlers]
        schemas = make_schemas(
            part for _, each in declared for part in (each.body, each.reply) if part is not None
        )
        paths: dict[str, dict[str, Any]] = {}
        for handler, declaration in declared:
            for path in _paths(handler):
                item = paths.setdefault(
                    path, {"parameters": [_reference("parameters", p.name) for p in COMMON]}
                )
                item.update(_operations(handler, declaration, path, schemas))
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "xdsmesh",
                "version": __version__,
                "description": _DESCRIPTION,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "paths": dict(sorted(paths.items())),
            "components": {
                "schemas": schemas.components,
                "parameters": {each.name: _parameter(each) for each in COMMON},
                "headers": _HEADERS,
                "responses": {_key(status): _error(text) for status, text in _ERRORS.items()},
            },
        }


def declaration_of(handler: HTTPRouteHandler) -> Declaration:
    """What a handler declares.

    Raises:
        ValueError: nothing, or it has no docstring.
    """
    declaration = handler.opt.get(KEY)
    if not isinstance(declaration, Declaration) or not handler.fn.__doc__:
        what = f"{_name(handler)} is not documented: add opt=doc(...) to its route, and a docstring"
        raise ValueError(what)
    return declaration


def _paths(handler: HTTPRouteHandler) -> Iterator[str]:
    """The paths of a handler; one that another one continues is there to say what is missing in it."""
    for path in handler.paths:
        if not any(other.startswith(f"{path}/") for other in handler.paths):
            yield _VARIABLE.sub(r"{\1}", path)


def _name(handler: HTTPRouteHandler) -> str:
    return f"{handler.fn.__module__}.{handler.fn.__name__}".removeprefix(_API)


def _operations(
    handler: HTTPRouteHandler, declaration: Declaration, path: str, schemas: Schemas
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What can be done at a path, by method."""
    _check_variables(handler, declaration, path)
    summary, _, description = _markdown(inspect.getdoc(handler.fn) or "").partition("\n\n")
    for method in sorted(handler.http_methods):
        name = _name(handler)
        yield (
            method.lower(),
            {
                "operationId": name if len(handler.http_methods) == 1 else f"{name}.{method.lower()}",
                "tags": [path.split("/")[2]],
                "summary": summary.replace("\n", " "),
                **({"description": description} if description else {}),
                "parameters": [_parameter(each) for each in declaration.parameters],
                **_body(declaration, schemas),
                "responses": dict(_responses(declaration, schemas)),
            },
        )


def _check_variables(handler: HTTPRouteHandler, declaration: Declaration, path: str) -> None:
    wanted = set(_VARIABLE.findall(path))
    declared = {each.name for each in declaration.parameters if each.where == "path"}
    if wanted != declared:
        what = (
            f"{_name(handler)} declares the parameters {sorted(declared)} of its path, not {sorted(wanted)}"
        )
        raise ValueError(what)


def _parameter(parameter: Parameter) -> dict[str, Any]:
    plain = {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.description,
        "schema": parameter.schema,
    }
    return plain | ({"required": True} if parameter.where == "path" else {})


def _body(declaration: Declaration, schemas: Schemas) -> dict[str, Any]:
    if declaration.body is None:
        return {}
    content = {"application/json": {"schema": schemas.of(declaration.body)}}
    return {"requestBody": {"required": True, "content": content}}


def _responses(declaration: Declaration, schemas: Schemas) -> Iterator[tuple[str, dict[str, Any]]]:
    headers = [name for told_by, names in _TOLD_BY if told_by in declaration.parameters for name in names]
    for status in declaration.statuses:
        response: dict[str, Any] = {"description": HTTPStatus(status).phrase}
        if headers:
            response["headers"] = {name: _reference("headers", name) for name in headers}
        if declaration.reply is not None:
            response["content"] = {"application/json": {"schema": schemas.of(declaration.reply)}}
        yield str(status), response
    for status in (HTTP_400_BAD_REQUEST, *declaration.errors):
        yield str(status), _reference("responses", _key(status))
    yield "default", _reference("responses", _key(_OTHERWISE))


def _key(status: int) -> str:
    """The name of the component for an error."""
    return HTTPStatus(status).phrase.replace(" ", "") if status else "Other"


def _error(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"text/plain": {"schema": {"type": "string"}}}}


def _reference(section: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{section}/{name}"}


def _markdown(docstring: str) -> str:
    """A docstring as the document's readers show it, without the part that is for callers in Python."""
    text, _, _ = docstring.partition("\nArgs:")
    text, _, _ = text.partition("\nRaises:")
    return text.replace("``", "`").strip()

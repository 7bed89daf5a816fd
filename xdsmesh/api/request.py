"""What handlers read of a request, besides its body."""

import re
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from litestar import Request
from litestar.exceptions import ClientException, NotFoundException

from xdsmesh.federation.asking import ASKER
from xdsmesh.model.address import host_port
from xdsmesh.model.origin import Origin, Source

AnyRequest = Request[Any, Any, Any]

_TRUE: Final = frozenset({"", "1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_UNSIGNED: Final = re.compile(r"[0-9]{1,20}")
_MAX_UNSIGNED: Final = 2**64 - 1
_REFUSED_QUALITY: Final = re.compile(r"q=0(\.0*)?")


def path_of(request: AnyRequest) -> str:
    """The path as the client meant it: decoded, nothing collapsed or stripped.

    Raises:
        ClientException: it is not UTF-8, or has unprintable characters.
    """
    raw: bytes = request.scope["raw_path"]
    try:
        path = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        path = ""
    if not path.isprintable() or not path:
        raise ClientException(f"Invalid URL path: {raw.decode('latin-1')!a} has unprintable characters")
    return path


def tail(request: AnyRequest) -> str:
    """The last parameter of the path, verbatim: ids may hold ``/`` and ``:``, also twice or at the end.

    Raises:
        NotFoundException: the part of the path before it is not exactly the route's.
    """
    depth = request.scope["path_template"].count("/")
    *head, last = path_of(request).split("/", depth)
    if head != request.scope["path"].split("/")[:depth]:
        raise NotFoundException
    return last


def asking_datacenter(request: AnyRequest) -> str:
    """The datacenter that a request came from over a link; empty: it came over HTTP."""
    return str(request.scope["state"].get(ASKER, ""))


def author(request: AnyRequest) -> Origin:
    """The writer that a change is recorded under: the client's address, whichever port it came from.

    Of a client of another datacenter it is told which.
    """
    client, datacenter = request.client.host if request.client else "", asking_datacenter(request)
    return Origin(Source.API, where=f"{client} in {datacenter}".strip() if datacenter else client)


def own_address(request: AnyRequest) -> str:
    """The server's own address, ``host:port``, as this client reached it."""
    host, port = request.scope["server"] or ("localhost", None)
    return host_port(host, port or 0)


def flag(request: AnyRequest, name: str) -> bool:
    """A switch of the query string: present without a value is true, else a boolean as Go spells it.

    Raises:
        ClientException: the value is no boolean.
    """
    value = request.query_params.get(name)
    if value is None or value in _FALSE:
        return False
    if value in _TRUE:
        return True
    raise ClientException(f"Invalid value for ?{name}: {value!r} (leave it empty, or use true or false)")


def required_flag(request: AnyRequest, name: str) -> bool:
    """A boolean of the query string that must be given, with a value.

    Raises:
        ClientException: it is missing, or no boolean.
    """
    if not request.query_params.get(name):
        raise ClientException(f"Missing value for {name}: add ?{name}=true or ?{name}=false")
    return flag(request, name)


def unsigned(request: AnyRequest, name: str) -> int | None:
    """A number of the query string, as a 64-bit index is written; None when it is not given, or empty.

    Raises:
        ClientException: the value is no such number.
    """
    text = request.query_params.get(name)
    if not text:
        return None
    if not _UNSIGNED.fullmatch(text) or (value := int(text)) > _MAX_UNSIGNED:
        raise ClientException(f"Invalid {name}: {text!r} is not a whole number from 0 to {_MAX_UNSIGNED}")
    return value


def is_pretty(request: AnyRequest) -> bool:
    """Whether a person is going to read the answer."""
    return "pretty" in request.query_params


def accepts_gzip(request: AnyRequest) -> bool:
    """Whether the caller reads gzip, RFC 9110 section 12.5.3."""
    for choice in request.headers.get("accept-encoding", "").lower().split(","):
        coding, *parameters = (part.strip() for part in choice.split(";"))
        if coding == "gzip":
            return not any(_REFUSED_QUALITY.fullmatch(parameter) for parameter in parameters)
    return False

"""What every request goes through before its handler, and what handlers read besides body and query."""

import re
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import unquote_to_bytes, urlsplit

from litestar import MediaType, Request, Response
from litestar.exceptions import ClientException, NotFoundException, PermissionDeniedException
from litestar.status_codes import HTTP_200_OK

from xdsmesh.model.origin import Origin, Source

AnyRequest = Request[Any, Any, Any]

_TENANCY: Final = {"ns": "x-consul-namespace", "partition": "x-consul-partition"}
_NOT_BUILT: Final = ("peer", "sg", "sameness-group")
_EXCLUDE_EACH_OTHER: Final = (("stale", "consistent"), ("cached", "consistent"))
_TRUE: Final = frozenset({"", "1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_PORTS: Final = {"http": 80, "https": 443}
_UNSIGNED: Final = re.compile(r"[0-9]{1,20}")
_MAX_UNSIGNED: Final = 2**64 - 1
_REFUSED_QUALITY: Final = re.compile(r"q=0(\.0*)?")


def make_gate(datacenter: str) -> Callable[[AnyRequest], Awaitable[Response[bytes] | None]]:
    """Make the check of all that a request must be free of, whatever it asks for.

    It answers OPTIONS itself, which asks for nothing but the methods.
    """

    async def gate(request: AnyRequest) -> Response[bytes] | None:
        _refuse_other_sites(request)
        _refuse_other_names(request)
        path_of(request)
        if request.scope["method"] == "OPTIONS":
            return _methods(request)
        _refuse_tenancy(request)
        _refuse_other_datacenters(request, datacenter)
        _refuse_what_would_narrow(request)
        _refuse_contradictions(request)
        return None

    return gate


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


def author(request: AnyRequest) -> Origin:
    """The writer that a change is recorded under: the client's address, whichever port it came from."""
    return Origin(Source.API, where=request.client.host if request.client else "")


def own_address(request: AnyRequest) -> str:
    """The server's own address, ``host:port``, as this client reached it."""
    host, port = request.scope["server"] or ("localhost", None)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


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


def consistency(request: AnyRequest) -> str:
    """How fresh the caller wants the answer. Here all answers are equally fresh."""
    for word in ("consistent", "stale"):
        if word in request.query_params:
            return word
    return "stale" if "max_stale" in request.query_params else "leader"


def accepts_gzip(request: AnyRequest) -> bool:
    """Whether the caller reads gzip, RFC 9110 section 12.5.3."""
    for choice in request.headers.get("accept-encoding", "").lower().split(","):
        coding, *parameters = (part.strip() for part in choice.split(";"))
        if coding == "gzip":
            return not any(_REFUSED_QUALITY.fullmatch(parameter) for parameter in parameters)
    return False


def _methods(request: AnyRequest) -> Response[bytes]:
    path = request.scope["path_template"]
    methods = next(route.methods for route in request.app.routes if route.path_format == path)
    allowed = ", ".join(["OPTIONS", *sorted(methods - {"OPTIONS"})])
    return Response(b"", headers={"Allow": allowed}, media_type=MediaType.TEXT, status_code=HTTP_200_OK)


def _refuse_other_sites(request: AnyRequest) -> None:
    """Browsers add ``Origin`` to what a page sends; only the server's own pages may send anything.

    It is compared with the address of the socket, since a page can choose the ``Host``.
    """
    origin = request.headers.get("origin")
    if origin is not None and not _is_own(origin, request):
        raise PermissionDeniedException(f"Permission denied: requests from {origin!r} are not allowed")


def _is_own(origin: str, request: AnyRequest) -> bool:
    host, port = request.scope["server"] or ("", None)
    try:
        site = urlsplit(origin)
        if (site.port or _PORTS.get(site.scheme)) != port or site.scheme != request.scope["scheme"]:
            return False
        return site.hostname == host or (site.hostname == "localhost" and ip_address(host).is_loopback)
    except ValueError:
        return False


def _refuse_other_names(request: AnyRequest) -> None:
    """A page can point its own name at this machine, and then reads what it likes; it can't choose ``Host``.

    So whoever comes over the loopback must call it by one of its own names.
    """
    own, _ = request.scope["server"] or ("", None)
    called = request.headers.get("host")
    if called is None and request.scope["http_version"] == "1.0":
        return
    if _is_loopback(own) and not _is_loopback(_name_of(called or "")):
        raise PermissionDeniedException(
            f"Permission denied: the Host {called or ''!r} is not this machine's loopback"
            " (use 127.0.0.1, [::1] or localhost as the address of this server)"
        )


def _name_of(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _refuse_tenancy(request: AnyRequest) -> None:
    for parameter, header in _TENANCY.items():
        for value in (request.query_params.get(parameter), request.headers.get(header)):
            if value and value != "default":
                raise ClientException(f"Invalid {parameter}: {value!r} (there is only 'default')")


def _refuse_other_datacenters(request: AnyRequest, datacenter: str) -> None:
    wanted = request.query_params.get("datacenter") or request.query_params.get("dc")
    if wanted and wanted != datacenter:
        raise ClientException(f"No path to datacenter {wanted!r} (this is {datacenter!r})")


def _refuse_what_would_narrow(request: AnyRequest) -> None:
    """Parameters that are not built yet and whose neglect would answer more than was asked for."""
    for name in _NOT_BUILT:
        if name in request.query_params:
            raise ClientException(f"Invalid parameter: ?{name} is not supported yet (leave it out)")


def _refuse_contradictions(request: AnyRequest) -> None:
    for one, other in _EXCLUDE_EACH_OTHER:
        if one in request.query_params and other in request.query_params:
            raise ClientException(f"Invalid parameters: ?{one} and ?{other} exclude each other")

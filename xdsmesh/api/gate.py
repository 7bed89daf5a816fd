"""What every request goes through before its handler."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from litestar import MediaType, Response
from litestar.exceptions import ClientException, PermissionDeniedException
from litestar.status_codes import HTTP_200_OK

from xdsmesh.api.access import check_access
from xdsmesh.api.datacenters import check_asker, writes_entries
from xdsmesh.api.forwarding import Forwarding
from xdsmesh.api.freshness import check_freshness
from xdsmesh.api.primary import PrimaryWrites
from xdsmesh.api.request import AnyRequest, asking_datacenter, path_of
from xdsmesh.model.address import is_loopback
from xdsmesh.tokens.known import Tokens

_TENANCY: Final = {"ns": "x-consul-namespace", "partition": "x-consul-partition"}
_NOT_BUILT: Final = ("sg", "sameness-group")
_PORTS: Final = {"http": 80, "https": 443}


def make_gate(
    tokens: Tokens, forwarding: Forwarding, writes: PrimaryWrites
) -> Callable[[AnyRequest], Awaitable[Response[bytes] | None]]:
    """Make the check of all that a request must be free of, whatever it asks for.

    It answers OPTIONS itself, which asks for nothing but the methods, and has others answered by the
    datacenter that they are about.
    """

    async def gate(request: AnyRequest) -> Response[bytes] | None:
        path_of(request)
        asker = asking_datacenter(request)
        if asker:
            check_asker(request, asker)
        else:
            _refuse_other_sites(request)
            _refuse_other_names(request)
            check_access(request, tokens)
        if request.scope["method"] == "OPTIONS":
            return _methods(request)
        _refuse_tenancy(request)
        destination = forwarding.destination(request)
        if destination != forwarding.datacenter:
            return await _answer_of_another(request, destination)
        _refuse_what_would_narrow(request)
        check_freshness(request)
        return None

    async def _answer_of_another(request: AnyRequest, destination: str) -> Response[bytes]:
        asker = asking_datacenter(request)
        if asker:  # what came over a link crosses no other one
            raise ClientException(
                f"this is {forwarding.datacenter}, and {destination} answers that: what comes over the link"
                f" from {asker} crosses no other one (see `xdsmesh dc status` in {asker})"
            )
        if writes_entries(request):
            return await writes.write(request, destination)
        return await forwarding.forward(request, destination)

    return gate


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
        return site.hostname == host or (site.hostname == "localhost" and is_loopback(host))
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
    return name == "localhost" or is_loopback(name)


def _refuse_tenancy(request: AnyRequest) -> None:
    for parameter, header in _TENANCY.items():
        for value in (request.query_params.get(parameter), request.headers.get(header)):
            if value and value != "default":
                raise ClientException(f"Invalid {parameter}: {value!r} (there is only 'default')")


def _refuse_what_would_narrow(request: AnyRequest) -> None:
    """Parameters that are not built yet and whose neglect would answer more than was asked for."""
    for name in _NOT_BUILT:
        if request.query_params.get(name):
            raise ClientException(f"Invalid parameter: ?{name} is not supported yet (leave it out)")

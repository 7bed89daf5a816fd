"""What calls about intentions read from a query string: services, by names that may have a tenancy."""

from typing import Final

from litestar.exceptions import ClientException

from xdsmesh.api.request import AnyRequest
from xdsmesh.config.intention import DEFAULT
from xdsmesh.config.intentions import Caller

_PEER: Final = "peer:"
_DEEPEST: Final = 2
"""A partition and a namespace may stand before a name."""


def pair_of(request: AnyRequest) -> tuple[Caller, str]:
    """The caller and the destination that ``?source=`` and ``?destination=`` name.

    Raises:
        ClientException: one of them is missing, given twice, or of another tenancy.
    """
    return caller_of(one(request, "source")), service_of(one(request, "destination"))


def one(request: AnyRequest, name: str) -> str:
    """A parameter that must be given, and once.

    Raises:
        ClientException: it is not.
    """
    given: list[str] = request.query_params.getall(name, [])
    if len(given) > 1:
        raise ClientException(f"query parameter {name!r} is given {len(given)} times (keep one of them)")
    if not given or not given[0]:
        raise ClientException(f"required query parameter {name!r} not set (add ?{name}= and a service)")
    return given[0]


def caller_of(text: str) -> Caller:
    """A caller: ``web``, ``default/web``, ``default/default/web``, or ``peer:east/web``.

    Raises:
        ClientException: it is of another tenancy, or has more parts.
    """
    if not text.startswith(_PEER):
        return Caller(service_of(text))
    peer, _, name = text.removeprefix(_PEER).partition("/")
    if not peer or not name:
        raise ClientException(f"Invalid source: {text!r} (a caller in a peer is peer:<peer>/<service>)")
    return Caller(service_of(name), peer)


def service_of(text: str) -> str:
    """A service: ``web``, ``default/web`` or ``default/default/web``.

    Raises:
        ClientException: it is of another tenancy, or has more parts.
    """
    *tenancy, name = text.split("/")
    if not name or len(tenancy) > _DEEPEST or any(each != DEFAULT for each in tenancy):
        raise ClientException(
            f"Invalid service name: {text!r} (write the name alone; there is only the namespace {DEFAULT!r})"
        )
    return name

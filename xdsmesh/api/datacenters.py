"""Which requests are about another datacenter, and what one may ask another."""

from typing import Final

from litestar.exceptions import PermissionDeniedException

from xdsmesh.api.access import is_open
from xdsmesh.api.request import AnyRequest

_READS: Final = (
    "/v1/catalog",
    "/v1/config",
    "/v1/connect/ca/roots",
    "/v1/connect/intentions",
    "/v1/discovery-chain",
    "/v1/health",
    "/v1/xdsmesh/intentions/check",
)
_WRITES: Final = ("/v1/config", "/v1/connect/intentions", "/v1/xdsmesh/config")
"""Config entries and intentions, which the primary has for all."""


def wanted_datacenter(request: AnyRequest) -> str:
    """The datacenter that a request names; empty: none."""
    return request.query_params.get("datacenter") or request.query_params.get("dc") or ""


def writes_entries(request: AnyRequest) -> bool:
    """Whether it changes config entries or intentions."""
    return not is_open(request) and is_below(request, *_WRITES)


def may_cross(request: AnyRequest) -> bool:
    """Whether one datacenter may ask it of another: a read of what the mesh shares, or a write of entries."""
    return (is_open(request) and is_below(request, *_READS)) or writes_entries(request)


def check_asker(request: AnyRequest, datacenter: str) -> None:
    """Let a request of another datacenter through.

    Raises:
        PermissionDeniedException: datacenters don't ask that of one another.
    """
    if not may_cross(request):
        method, path = request.scope["method"], request.scope["path_template"]
        raise PermissionDeniedException(
            f"Permission denied: {datacenter} may not ask {method} {path} of another datacenter"
        )


def is_below(request: AnyRequest, *prefixes: str) -> bool:
    """Whether its path is one of these, or below one."""
    path = request.scope["path_template"]
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)

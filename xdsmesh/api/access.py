"""Who may ask for what: requests by the token that they show, and by where they come from.

A request from this machine without a token is the operator's. Tokens are shown as Consul's clients show them:
https://developer.hashicorp.com/consul/api-docs/api-structure#authentication
"""

from typing import Any, Final

from litestar.exceptions import PermissionDeniedException

from xdsmesh.api.request import AnyRequest
from xdsmesh.model.address import is_loopback
from xdsmesh.model.identity import OPERATOR, Identity, service_identity
from xdsmesh.model.token import HEADER, shown_secret
from xdsmesh.tokens.known import Tokens

_KEY: Final = "access"
_READ: Final = "read"
_OPERATOR: Final = "operator"
READS: Final[dict[str, Any]] = {_KEY: _READ}
"""In the ``opt`` of a handler: it changes nothing, whatever its method."""
OPERATORS: Final[dict[str, Any]] = {_KEY: _OPERATOR}
"""In the ``opt`` of a handler: it is for operators alone, even if it changes nothing."""

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER: Final = "bearer "
_MAKE_ONE: Final = "`xdsmesh token create --operator` on the server's machine makes one"


def check_access(request: AnyRequest, tokens: Tokens) -> None:
    """Let a request through to its handler.

    Raises:
        PermissionDeniedException: its token is not known, or does not allow this, or is missing.
    """
    caller = _caller(request, tokens)
    if caller is None:
        raise PermissionDeniedException(
            "Permission denied: requests from other machines need a token"
            f" (send it as X-Consul-Token; {_MAKE_ONE})"
        )
    if not caller.is_operator and not is_open(request):
        method, path = request.scope["method"], request.scope["path_template"]
        raise PermissionDeniedException(
            f"Permission denied: the token is for {caller}, and {method} {path} needs one of an operator"
            f" ({_MAKE_ONE})"
        )


def check_key_access(request: AnyRequest, tokens: Tokens, service: str) -> None:
    """Let a request through that asks for the private key of a service.

    Raises:
        PermissionDeniedException: once there is a token, it has neither that service's nor an operator's.
    """
    if not tokens.needed:
        return
    if not _secret(request):
        raise PermissionDeniedException(
            f"Permission denied: the key of service {service} needs a token of it, or of an operator"
            f" (send it as X-Consul-Token; `xdsmesh token create --service {service}` makes one)"
        )
    caller = _caller(request, tokens)
    if caller not in (OPERATOR, service_identity(service)):
        raise PermissionDeniedException(
            f"Permission denied: the token is for {caller}, and the key is that of service {service}"
            f" (`xdsmesh token create --service {service}` makes a token of it)"
        )


def _caller(request: AnyRequest, tokens: Tokens) -> Identity | None:
    """Who asks; None: somebody from elsewhere, who shows nothing that counts."""
    local = request.client is not None and is_loopback(request.client.host)
    secret = _secret(request) if tokens.needed else ""  # clients send tokens also where there are none
    if not secret:
        return OPERATOR if local else None
    token = tokens.find(secret)
    if token is None:
        raise PermissionDeniedException(
            "ACL not found: the token of this request is not known here"
            " (it was deleted, or is another mesh's; `xdsmesh token list` shows those there are)"
        )
    return token.identity


def _secret(request: AnyRequest) -> str:
    """The token that a request shows; empty: none."""
    if secret := shown_secret(request.headers.get(HEADER)):
        return secret
    authorization = request.headers.get("authorization", "")
    is_bearer = authorization.lower().startswith(_BEARER)
    return shown_secret(authorization[len(_BEARER) :]) if is_bearer else ""


def is_open(request: AnyRequest) -> bool:
    """Whether everybody who is known may ask for this."""
    handler = request.scope["route_handler"]
    access = handler.opt.get(_KEY)
    return access == _READ or (access is None and request.scope["method"] in _READING)

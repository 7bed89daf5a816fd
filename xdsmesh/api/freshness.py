"""How fresh a caller wants its answer: ``?stale``, ``?consistent``, ``?max_stale``, ``Cache-Control``.

Here all answers are equally fresh, so it is read only to be echoed, or refused where it makes no sense.
Source: https://developer.hashicorp.com/consul/api-docs/features/consistency and .../features/caching
"""

import re
from typing import Final

from litestar.exceptions import ClientException

from xdsmesh.api.request import AnyRequest
from xdsmesh.model.duration import Duration

_EXCLUDE_EACH_OTHER: Final = (("stale", "consistent"), ("max_stale", "consistent"), ("cached", "consistent"))
_SECONDS: Final = ("max-age", "stale-if-error")
"""Directives that have a number; others mean nothing here."""
_WHOLE: Final = re.compile(r"[0-9]{1,18}")


def consistency(request: AnyRequest) -> str:
    """What the caller asked for, in the word of a reply."""
    for word in ("consistent", "stale"):
        if word in request.query_params:
            return word
    return "stale" if "max_stale" in request.query_params else "leader"


def check_freshness(request: AnyRequest) -> None:
    """Refuse what can't be meant.

    Raises:
        ClientException: parameters exclude each other, or a time is none.
    """
    for one, other in _EXCLUDE_EACH_OTHER:
        if one in request.query_params and other in request.query_params:
            raise ClientException(f"Invalid parameters: ?{one} and ?{other} exclude each other")
    _check_max_stale(request.query_params.get("max_stale") or "")
    _check_cache_control(request.headers.get("cache-control", ""))


def _check_max_stale(text: str) -> None:
    try:
        Duration.parse(text or "0s")
    except ValueError as error:
        raise ClientException(f"Invalid max_stale value: {error}") from error


def _check_cache_control(text: str) -> None:
    for directive in text.lower().split(","):
        name, _, value = (part.strip() for part in directive.partition("="))
        if name in _SECONDS and not _WHOLE.fullmatch(value):
            raise ClientException(
                f"Invalid Cache-Control header: {name} is a number of seconds, not {value!r}"
            )

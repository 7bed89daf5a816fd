"""What the shell completes: kinds of config entries, and the ids that a server knows.

A server that is not there, or is slow, is silently none.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import typer

from xdsmesh.cli.errors import CommandError
from xdsmesh.cli.options import DEFAULT_HTTP_ADDR

_PATIENCE: Final = 0.5
"""Seconds: whoever presses a key does not wait longer."""


def kinds(incomplete: str) -> list[str]:
    """The kinds of config entries."""
    from xdsmesh.config.kinds import KINDS

    return sorted(kind for kind in KINDS if kind.startswith(incomplete))


def targets(context: typer.Context, incomplete: str) -> list[str]:
    """A kind, and behind it the names of its entries."""
    given = context.params.get("target") or ()
    if not given:
        return kinds(incomplete)
    (kind, *more) = given
    return [] if more else _asked(context, incomplete, f"/v1/config/{kind}", lambda each: each.get("Name"))


def service_ids(context: typer.Context, incomplete: str) -> list[str]:
    """The ids of the registered instances."""
    return _asked(context, incomplete, "/v1/agent/services")


def fronted_ids(context: typer.Context, incomplete: str) -> list[str]:
    """The ids of the instances that have a sidecar."""

    def fronted(each: Any) -> Any:
        return (each.get("Proxy") or {}).get("DestinationServiceID")

    return _asked(context, incomplete, "/v1/agent/services", fronted)


def service_names(context: typer.Context, incomplete: str) -> list[str]:
    """The names of all services."""
    return _asked(context, incomplete, "/v1/catalog/services")


def check_ids(context: typer.Context, incomplete: str) -> list[str]:
    """The ids of the checks."""
    return _asked(context, incomplete, "/v1/agent/checks")


def sidecar_ids(context: typer.Context, incomplete: str) -> list[str]:
    """The ids of the registered proxies."""

    def sidecar(each: Any) -> Any:
        return each.get("ID") if each.get("Kind") else None

    return _asked(context, incomplete, "/v1/agent/services", sidecar)


def gateway_kinds(incomplete: str) -> list[str]:
    """The words for kinds of gateways that have an Envoy."""
    from xdsmesh.cli.gateways import SERVED

    return [word for word in SERVED if word.startswith(incomplete)]


def _asked(
    context: typer.Context, incomplete: str, path: str, name_of: Callable[[Any], Any] | None = None
) -> list[str]:
    """The names in an answer: the keys of an object, or what ``name_of`` says of each thing in it."""
    with suppress(CommandError, typer.BadParameter, AttributeError, TypeError, ValueError):
        answer = _answer(context, path)
        things = answer.values() if isinstance(answer, dict) else answer
        names = answer if name_of is None else map(name_of, things)
        return sorted({str(each) for each in names if each and str(each).startswith(incomplete)})
    return []


def _answer(context: typer.Context, path: str) -> Any:
    import httpx

    from xdsmesh.cli.client import Client

    params = context.params
    address = params.get("http_addr") or DEFAULT_HTTP_ADDR
    with Client(address, params.get("token") or "", params.get("ca_cert")) as client:
        return client.send("GET", path, timeout=httpx.Timeout(_PATIENCE)).json()

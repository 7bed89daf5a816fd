"""``xdsmesh maint``: take a service or all of this node out of the traffic, and back."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from xdsmesh.cli.complete import service_ids
from xdsmesh.cli.options import (
    DEFAULT_HTTP_ADDR,
    CaCert,
    Format,
    HttpAddr,
    OutputFormat,
    Token,
    Wait,
    WaitTimeout,
    given,
)

_LABEL: Final = 8


def maint(
    *,
    enable: Annotated[bool, typer.Option("--enable", help="Begin it.")] = False,
    disable: Annotated[bool, typer.Option("--disable", help="End it.")] = False,
    service: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="Only this instance; else all of the node.",
            show_default=False,
            autocompletion=service_ids,
        ),
    ] = "",
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why, for those who look.", show_default=False)
    ] = "",
    output_format: OutputFormat = Format.TABLE,
    wait: Wait = False,
    wait_timeout: WaitTimeout = None,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Take a service, or this node, out of the traffic, and back; without flags: show what is out."""
    _judge(enable=enable, disable=disable, service=service, reason=reason, wait=wait)
    from xdsmesh.cli.client import Client, segment
    from xdsmesh.cli.waiting import waiting

    awaited = waiting(wait=wait, wait_timeout=wait_timeout)
    with Client(http_addr, token, ca_cert, awaited) as client:
        if not (enable or disable):
            checks = client.checks()
            _show(checks, output_format)
            return
        path = f"/v1/agent/service/maintenance/{segment(service)}" if service else "/v1/agent/maintenance"
        query = given(enable=str(enable).lower(), reason=reason)
        client.write("PUT", path, query=query)
    state = "enabled" if enable else "disabled"
    whose = (
        f"Service maintenance is now {state} for {service!r}"
        if service
        else f"Node maintenance is now {state}"
    )
    typer.echo(whose)
    if awaited:
        awaited.report()


def _judge(*, enable: bool, disable: bool, service: str, reason: str, wait: bool) -> None:
    """Refuse flags that do not go together."""
    if enable and disable:
        raise typer.BadParameter("give --enable or --disable, not both")
    if reason and not enable:
        raise typer.BadParameter("--reason goes with --enable")
    if (service or wait) and not (enable or disable):
        raise typer.BadParameter("say what to do: --enable or --disable")


def _show(checks: Mapping[str, Mapping[str, Any]], output_format: Format) -> None:
    from xdsmesh.cli.check_words import is_maintenance
    from xdsmesh.cli.output import show_json

    found = {key: checks[key] for key in sorted(checks) if is_maintenance(checks[key])}
    if output_format is Format.JSON:
        show_json(found)
    elif not found:
        typer.echo("Nothing is in maintenance.", err=True)
    else:
        typer.echo("\n\n".join(_told(each) for each in found.values()))


def _told(check: Mapping[str, Any]) -> str:
    of_service = check["ServiceID"]
    title, label, name = ("Service", "ID", of_service) if of_service else ("Node", "Name", check["Node"])
    return f"{title}:\n  {label + ':':<{_LABEL}}{name}\n  {'Reason:':<{_LABEL}}{check['Notes']}"

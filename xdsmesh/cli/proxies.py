"""``xdsmesh proxies``: who is connected and how each stands, all about one, and what it should hold."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from xdsmesh.cli.complete import sidecar_ids
from xdsmesh.cli.errors import REFUSED
from xdsmesh.cli.options import DEFAULT_HTTP_ADDR, CaCert, Format, HttpAddr, OutputFormat, Token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xdsmesh.status import HeldConfig, ProxyDetail, Snapshot

app = typer.Typer(invoke_without_command=True)

ProxyId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="The proxy's id, as `xdsmesh proxies` shows it.",
        autocompletion=sidecar_ids,
    ),
]


class ResourceType(StrEnum):
    """A type of resource, by what it is."""

    CLUSTERS = "clusters"
    LISTENERS = "listeners"
    ROUTES = "routes"
    ENDPOINTS = "endpoints"
    SECRETS = "secrets"


@app.callback()
def proxies(
    context: typer.Context,
    *,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Show the connected proxies and what each has acknowledged, type by type."""
    if context.invoked_subcommand:
        _refuse_misplaced(context)
        return
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json

    with Client(http_addr, token, ca_cert) as client:
        snapshot = client.proxies()
    if output_format is Format.JSON:
        show_json(snapshot)
    else:
        show_list(snapshot, datetime.now(UTC))


@app.command()
def show(
    proxy_id: ProxyId,
    *,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Show all about one proxy, with its last errors and what they were made from."""
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json

    with Client(http_addr, token, ca_cert) as client:
        detail = client.proxy(proxy_id)
    if output_format is Format.JSON:
        show_json(detail)
    else:
        show_detail(detail, datetime.now(UTC))


@app.command()
def config(
    proxy_id: ProxyId,
    resource_type: Annotated[
        ResourceType | None, typer.Argument(metavar="TYPE", help="Only these; else all types.")
    ] = None,
    *,
    output_format: OutputFormat = Format.JSON,
    diff: Annotated[
        bool, typer.Option("--diff", help="Compare with what its Envoy has; exit 1 if they differ.")
    ] = False,
    envoy_admin: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="With --diff: the admin port of the Envoy.")
    ] = None,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Print what the server holds for a proxy, connected or not. Private keys are redacted."""
    if diff != (envoy_admin is not None):
        raise typer.BadParameter("--diff and --envoy-admin HOST:PORT go together")
    from xdsmesh.cli.client import Client

    with Client(http_addr, token, ca_cert) as client:
        held = client.proxy_config(proxy_id)
    types = [resource_type.value] if resource_type else [each.value for each in ResourceType]
    if envoy_admin is not None:
        _compare(held, envoy_admin, types)
    elif output_format is Format.TABLE:
        _show_config_table(held, types)
    else:
        _show_config(held, types)


def show_list(snapshot: "Snapshot", now: datetime) -> None:
    """Print the table of proxies, the reasons of its errors, and the refused askers."""
    from xdsmesh.cli.output import show_table
    from xdsmesh.cli.proxy_words import HEADINGS, error_line, refusal_line, row

    if snapshot.connected:
        show_table(HEADINGS, (row(proxy, now) for proxy in snapshot.connected))
    else:
        typer.echo("No proxy is connected.")
    errors = [(proxy.proxy, each) for proxy in snapshot.connected for each in proxy.types if each.error]
    _show_section("Rejected, the last good configuration stays in force:", [error_line(*it) for it in errors])
    _show_section("Refused:", [refusal_line(each, now) for each in snapshot.refused])


def show_detail(detail: "ProxyDetail", now: datetime) -> None:
    """Print all about a proxy."""
    from xdsmesh.cli.output import show_table
    from xdsmesh.cli.proxy_words import (
        TYPE_HEADINGS,
        detail_lines,
        last_error_line,
        refusal_line,
        stream_lines,
        type_row,
    )

    for line in detail_lines(detail):
        typer.echo(line)
    for stream in detail.streams:
        typer.echo()
        for line in stream_lines(stream, now):
            typer.echo(line)
        show_table(TYPE_HEADINGS, (type_row(each, now) for each in stream.types))
        errors = [last_error_line(each, now) for each in stream.types if each.last_error]
        _show_section("Last errors:", errors)
    _show_section("Refused:", [refusal_line(each, now) for each in detail.refused])


def _show_section(title: str, lines: "Sequence[str]") -> None:
    if lines:
        typer.echo(f"\n{title}")
    for line in lines:
        typer.echo(f"  {line}")


def _show_config(held: "HeldConfig", types: "Sequence[str]") -> None:
    from xdsmesh.cli.output import show_json

    shown = {name: [each.resource for each in held.resources[name]] for name in types}
    show_json(shown if len(types) > 1 else shown[types[0]])


def _show_config_table(held: "HeldConfig", types: "Sequence[str]") -> None:
    from xdsmesh.cli.output import show_table
    from xdsmesh.cli.proxy_words import state_text

    rows = [
        (name, each.name, each.version, f"{each.bytes}", state_text(each.state))
        for name in types
        for each in held.resources[name]
    ]
    show_table(("type", "name", "version", "bytes", "state"), rows)


def _compare(held: "HeldConfig", envoy_admin: str, types: "Sequence[str]") -> None:
    from xdsmesh.cli.proxy_diff import differences, envoy_config, server_config

    told = list(differences(server_config(held), envoy_config(envoy_admin), types))
    for line in told:
        typer.echo(line)
    if told:
        raise typer.Exit(REFUSED)
    typer.echo(f"The Envoy at {envoy_admin} has what the server holds for {held.proxy}.")


def _refuse_misplaced(context: typer.Context) -> None:
    """What is said before the name of a command would be heard by none."""
    sources = (context.get_parameter_source(name) for name in context.params)
    if any(source is not None and source.name == "COMMANDLINE" for source in sources):
        raise typer.BadParameter(f"options go behind the command: proxies {context.invoked_subcommand} ...")

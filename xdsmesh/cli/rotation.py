"""``xdsmesh ca rotate`` and ``xdsmesh ca status``: another root takes over, and how far that is."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from xdsmesh.cli.errors import CommandError
from xdsmesh.cli.options import DEFAULT_HTTP_ADDR, CaCert, Format, HttpAddr, OutputFormat, Token

if TYPE_CHECKING:
    from httpx import Response

    from xdsmesh.cli.client import Client
    from xdsmesh.rotation.report import CAStatus

_ROTATE: Final = "/v1/xdsmesh/ca/rotate"
_STATUS: Final = "/v1/xdsmesh/ca/status"
_PATIENCE: Final = 2
"""Seconds after which it is told who is waited for."""

_LEFT: Final = "not connected any more, and not waited for: it can't be told of the new root"

_INTERRUPTED: Final = 130


def rotate(
    *,
    detach: Annotated[
        bool,
        typer.Option("--detach", help="Return once it has begun; `xdsmesh ca status` shows how far it is."),
    ] = False,
    abort: Annotated[
        bool, typer.Option("--abort", help="Take back what is under way; only in its first stage.")
    ] = False,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Let a new root take over, without a failed request; show its stages until it is done.

    The new root is trusted everywhere before it issues anything, and the old one until nobody needs it: each
    stage ends when every connected proxy has acknowledged it.
    """
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.rotation_text import unconnected_names
    from xdsmesh.rotation.report import CAStatus

    if abort and detach:
        raise typer.BadParameter("--abort and --detach exclude each other")
    with Client(http_addr, token, ca_cert) as client:
        if abort:
            client.send("PUT", _ROTATE, query={"abort": "true"})
            typer.echo("The rotation is aborted: the root stays what it was.")
            return
        response = client.send("PUT", _ROTATE)
        if absent := unconnected_names(client.decode(response, CAStatus)):
            typer.echo(
                f"Warning: not connected, and so not told of the new root: {absent}. What they have of the"
                " old root is not believed any more when this is done, until they connect.",
                err=True,
            )
        if detach:
            typer.echo("The rotation has begun; `xdsmesh ca status` shows how far it is.")
            return
        try:
            _follow(client, response)
        except KeyboardInterrupt:
            typer.echo(
                "\nThe rotation goes on in the server; `xdsmesh ca status` shows how far it is.", err=True
            )
            raise typer.Exit(_INTERRUPTED) from None


def status(
    *,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Show the roots, how far a rotation is, and which proxies it waits for."""
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json
    from xdsmesh.rotation.report import CAStatus

    with Client(http_addr, token, ca_cert) as client:
        shown = client.call("GET", _STATUS, CAStatus)
    if output_format is Format.JSON:
        show_json(shown)
    else:
        _show(shown)


def _show(shown: "CAStatus") -> None:
    from xdsmesh.cli.output import show_table
    from xdsmesh.cli.rotation_text import (
        ROOT_HEADINGS,
        root_row,
        rotation_lines,
        unconnected_names,
        waiting_lines,
    )

    typer.echo(f"Trust domain: {shown.trust_domain}")
    typer.echo(f"Intermediate: valid until {shown.intermediate_not_after:%Y-%m-%d %H:%M:%S} UTC")
    show_table(ROOT_HEADINGS, map(root_row, shown.roots))
    typer.echo()
    if shown.primary:
        typer.echo(f"The roots are those of {shown.primary}, the primary datacenter, and rotated there.")
    elif shown.rotation is None:
        typer.echo("No root was rotated yet.")
    else:
        for line in rotation_lines(shown.rotation):
            typer.echo(line)
    if shown.waiting or shown.datacenters:
        typer.echo("\nIt waits for:")
    for line in waiting_lines(shown):
        typer.echo(f"  {line}")
    if absent := unconnected_names(shown):
        typer.echo(f"\nRegistered, but not connected: {absent}")


def _follow(client: "Client", response: "Response") -> None:
    """Print each stage when it is over, and meanwhile who is waited for."""
    from xdsmesh.cli.rotation_text import over_lines, waiting_lines
    from xdsmesh.rotation.report import CAStatus
    from xdsmesh.rotation.stages import Stage

    told: list[str] = []
    absent = client.decode(response, CAStatus).left_behind
    while True:
        status = client.decode(response, CAStatus)
        if status.rotation is None:
            raise CommandError("the server knows nothing of a rotation any more: has it lost its data?")
        waited = waiting_lines(status) if told or response.elapsed.total_seconds() > _PATIENCE else ()
        left = (f"{each}: {_LEFT}" for each in status.left_behind if each not in absent)
        for line in (*over_lines(status.rotation), *waited, *left):
            if line not in told:
                typer.echo(line)
                told.append(line)
        if status.rotation.stage is Stage.ABORTED:
            raise CommandError("the rotation was aborted: the root stays what it was")
        if status.rotation.ended:
            typer.echo(f"The root of {status.trust_domain} is {status.rotation.new_root} now.")
            return
        index = response.headers["X-Consul-Index"]
        response = client.send("GET", _STATUS, query={"index": index, "wait": f"{_PATIENCE}s"})

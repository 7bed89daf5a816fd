"""``xdsmesh checks``: health checks and what they say; speak for those with a time to live."""

from pathlib import Path
from typing import Annotated, Final

import typer

from xdsmesh.cli.complete import check_ids
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

_STATUSES: Final = {"pass": "passing", "warn": "warning", "fail": "critical"}

app = typer.Typer(help="See health checks, and speak for those with a TTL.", no_args_is_help=True)

CheckId = Annotated[
    str, typer.Argument(metavar="ID", help="The id of a TTL check.", autocompletion=check_ids)
]
Note = Annotated[
    str, typer.Option(metavar="TEXT", help="What it shall say as its output.", show_default=False)
]


@app.command("list")
def list_(
    *,
    service: Annotated[
        str, typer.Option(metavar="SERVICE", help="Only those of a service or instance.", show_default=False)
    ] = "",
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """List the checks of this server's services and node, and what each said last."""
    from xdsmesh.cli.check_words import HEADINGS, row
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json, show_table

    with Client(http_addr, token, ca_cert) as client:
        every = client.checks()
    wanted = {
        key: each for key, each in every.items() if service in ("", each["ServiceName"], each["ServiceID"])
    }
    if output_format is Format.JSON:
        show_json(wanted)
    elif wanted:
        show_table(HEADINGS, (row(wanted[each]) for each in sorted(wanted)))
    else:
        typer.echo("There are no checks.", err=True)


@app.command("pass")
def pass_(
    check_id: CheckId,
    *,
    note: Note = "",
    wait: Wait = False,
    wait_timeout: WaitTimeout = None,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Say that a TTL check passes."""
    server = (http_addr, token, ca_cert)
    _say("pass", check_id, server, note=note, wait=wait, wait_timeout=wait_timeout)


@app.command()
def warn(
    check_id: CheckId,
    *,
    note: Note = "",
    wait: Wait = False,
    wait_timeout: WaitTimeout = None,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Say that a TTL check is a warning."""
    server = (http_addr, token, ca_cert)
    _say("warn", check_id, server, note=note, wait=wait, wait_timeout=wait_timeout)


@app.command()
def fail(
    check_id: CheckId,
    *,
    note: Note = "",
    wait: Wait = False,
    wait_timeout: WaitTimeout = None,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Say that a TTL check is critical."""
    server = (http_addr, token, ca_cert)
    _say("fail", check_id, server, note=note, wait=wait, wait_timeout=wait_timeout)


def _say(
    what: str,
    check_id: str,
    server: tuple[str, str, Path | None],
    *,
    note: str,
    wait: bool,
    wait_timeout: str | None,
) -> None:
    from xdsmesh.cli.client import Client, segment
    from xdsmesh.cli.waiting import waiting

    awaited = waiting(wait=wait, wait_timeout=wait_timeout)
    with Client(*server, awaited) as client:
        client.write("PUT", f"/v1/agent/check/{what}/{segment(check_id)}", query=given(note=note))
    typer.echo(f"Check updated: {check_id} ({_STATUSES[what]})")
    if awaited:
        awaited.report()

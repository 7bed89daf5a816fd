"""``xdsmesh intention``: which service may call which, one pair at a time."""

from typing import Annotated, Any, Final

import typer

from xdsmesh.cli.complete import service_names
from xdsmesh.cli.errors import WRONG_USAGE, CommandError
from xdsmesh.cli.intention_text import fields_of, line_of, source_of, verdict_of
from xdsmesh.cli.options import (
    DEFAULT_HTTP_ADDR,
    CaCert,
    Format,
    HttpAddr,
    OutputFormat,
    Token,
    Wait,
    WaitTimeout,
    pairs,
)

_PAIR: Final = 2

app = typer.Typer(help="Say which service may call which, and ask.", no_args_is_help=True)

Source = Annotated[
    str, typer.Argument(metavar="SRC", help="The service that calls.", autocompletion=service_names)
]
Destination = Annotated[
    str, typer.Argument(metavar="DST", help="The service that is called.", autocompletion=service_names)
]


@app.command()
def create(
    arguments: Annotated[
        list[str], typer.Argument(metavar="SRC DST", help="Services, * for all; with --file: JSON files.")
    ],
    *,
    allow: Annotated[bool, typer.Option("--allow", help="Let it call; the default.")] = False,
    deny: Annotated[bool, typer.Option("--deny", help="Don't.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also if there is an intention for them.")
    ] = False,
    meta: Annotated[
        list[str] | None,
        typer.Option("--meta", metavar="KEY=VALUE", help="Of a destination that is new. Repeatable."),
    ] = None,
    file: Annotated[
        bool, typer.Option("--file", help="Read intentions from files; - is standard input.")
    ] = False,
    wait: Wait = False,
    wait_timeout: WaitTimeout = None,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Allow or deny that one service calls another."""
    if allow and deny:
        raise typer.BadParameter("give --allow or --deny, not both")
    if file and (allow or deny or meta):
        raise typer.BadParameter("a file says itself what --allow, --deny and --meta would")
    if not file and len(arguments) != _PAIR:
        raise typer.BadParameter("name the two services: SRC DST")
    given = {"Meta": pairs(meta)} if meta else {}

    from xdsmesh.cli.client import Client
    from xdsmesh.cli.intention_calls import read_intentions, write_intention
    from xdsmesh.cli.waiting import waiting

    awaited = waiting(wait=wait, wait_timeout=wait_timeout)
    if file:
        wanted = read_intentions(arguments)
    else:
        source, destination = arguments
        action = "deny" if deny else "allow"
        wanted = [{"SourceName": source, "DestinationName": destination, "Action": action, **given}]
    with Client(http_addr, token, ca_cert, awaited) as client:
        for each in wanted:
            written = write_intention(client, each, replace=replace)
            for warning in written.warnings:
                typer.echo(f"warning: {warning}", err=True)
            typer.echo(f"Created: {line_of(each)}")
    if awaited:
        awaited.report()


@app.command()
def check(
    source: Source,
    destination: Destination,
    *,
    method: Annotated[str, typer.Option(metavar="METHOD", help="Of a request; default: GET.")] = "",
    path: Annotated[str, typer.Option(metavar="PATH", help="Of a request; default: /.")] = "",
    header: Annotated[
        list[str] | None,
        typer.Option("--header", metavar="NAME=VALUE", help="Of a request, or NAME: VALUE. Repeatable."),
    ] = None,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Ask whether a service may call another, and by which rule: exit 0 if it may, 1 if not, 2 on errors.

    With a method, a path or headers it is about one request, which shows no token; else about a connection.
    """
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.intention_calls import check_query

    query = check_query(source, destination, method, path, header or [])
    try:
        with Client(http_addr, token, ca_cert) as client:
            answer = client.call("GET", "/v1/xdsmesh/intentions/check", dict[str, Any], query=query)
    except CommandError as error:
        typer.echo(error, err=True)
        raise typer.Exit(WRONG_USAGE) from error
    if output_format is Format.JSON:
        from xdsmesh.cli.output import show_json

        show_json(answer)
    else:
        typer.echo("Allowed" if answer["Allowed"] else "Denied")
        typer.echo(answer["Reason"])
    raise typer.Exit(0 if answer["Allowed"] else 1)


@app.command()
def match(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The service.")],
    *,
    as_source: Annotated[bool, typer.Option("--source", help="Those by which it calls.")] = False,
    as_destination: Annotated[
        bool, typer.Option("--destination", help="Those by which it is called; the default.")
    ] = False,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Show the intentions about a service, the one that decides first."""
    if as_source and as_destination:
        raise typer.BadParameter("give --source or --destination, not both")
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json

    query = {"by": "source" if as_source else "destination", "name": name}
    with Client(http_addr, token, ca_cert) as client:
        answer = client.call(
            "GET", "/v1/connect/intentions/match", dict[str, list[dict[str, Any]] | None], query=query
        )
    found = answer[name] or []
    if output_format is Format.JSON:
        show_json(found)
        return
    for each in found:
        typer.echo(line_of(each))


@app.command()
def get(
    source: Source,
    destination: Destination,
    *,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Show the intention of two services."""
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.intention_calls import EXACT, pair_query
    from xdsmesh.cli.output import show_json

    with Client(http_addr, token, ca_cert) as client:
        found = client.call("GET", EXACT, dict[str, Any], query=pair_query(source, destination))
    if output_format is Format.JSON:
        show_json(found)
        return
    fields = dict(fields_of(found))
    width = max(map(len, fields)) + 2
    for label, value in fields.items():
        typer.echo(f"{label + ':':<{width}}{value}")
    if permissions := found.get("Permissions"):
        typer.echo("Permissions:")
        show_json(permissions)


@app.command("list")
def list_(
    *,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """List all intentions in the order in which they are looked at; exit 2 if there is none."""
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json, show_table

    with Client(http_addr, token, ca_cert) as client:
        intentions = client.call("GET", "/v1/connect/intentions", list[dict[str, Any]])
    if output_format is Format.JSON:
        show_json(intentions)
        return
    if not intentions:
        typer.echo("There are no intentions.", err=True)
        raise typer.Exit(WRONG_USAGE)
    headings = ("id", "source", "action", "destination", "precedence")
    rows = (
        (
            each.get("ID", ""),
            source_of(each),
            verdict_of(each),
            each["DestinationName"],
            str(each["Precedence"]),
        )
        for each in intentions
    )
    show_table(headings, rows)


@app.command()
def delete(
    source: Source,
    destination: Destination,
    *,
    wait: Wait = False,
    wait_timeout: WaitTimeout = None,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Delete the intention of two services."""
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.intention_calls import EXACT, pair_query
    from xdsmesh.cli.waiting import waiting

    awaited = waiting(wait=wait, wait_timeout=wait_timeout)
    with Client(http_addr, token, ca_cert, awaited) as client:
        client.write("DELETE", EXACT, query=pair_query(source, destination))
    typer.echo("Intention deleted.")
    if awaited:
        awaited.report()

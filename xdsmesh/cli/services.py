"""``xdsmesh services``: register, deregister, list and export services."""

from typing import TYPE_CHECKING, Annotated

import typer

from xdsmesh.cli.complete import service_ids as known_ids
from xdsmesh.cli.complete import service_names
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

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xdsmesh.cli.answers import AgentService
    from xdsmesh.cli.output import Cell

_EXAMPLES = """Examples:

xdsmesh services register web.hcl

xdsmesh services register -name db -port 5432 -tag primary -meta version=2"""

app = typer.Typer(help="Register, deregister, list and export services.", no_args_is_help=True)


@app.command(epilog=_EXAMPLES)
def register(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE", help="HCL, JSON or YAML; - is standard input (HCL or JSON)."),
    ] = None,
    *,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The service, if no file is given.")
    ] = None,
    service_id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="The instance's id; else the name.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="Such as connect-proxy; else an ordinary service.")
    ] = None,
    address: Annotated[str | None, typer.Option(metavar="HOST", help="Its address; else the node's.")] = None,
    port: Annotated[int | None, typer.Option(metavar="PORT", min=0, max=65535, help="Its port.")] = None,
    socket: Annotated[str | None, typer.Option(metavar="PATH", help="Not built yet.", hidden=True)] = None,
    tagged_address: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=HOST:PORT", help="Where some reach it, such as lan or wan. Repeatable."),
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="TAG", help="Repeatable.")] = None,
    meta: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Repeatable.")] = None,
    wait: Wait = False,
    wait_timeout: WaitTimeout = None,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Register the services and checks of files, or a service that flags describe; none if one is wrong."""
    if socket is not None:
        raise typer.BadParameter("--socket is not built yet: let the service listen on a --port")
    from xdsmesh.cli.registering import register_files, service_of, tagged_addresses

    flags = {
        "ID": service_id,
        "Kind": kind,
        "Address": address,
        "Port": port,
        "TaggedAddresses": tagged_addresses(tagged_address),
        "Tags": tag,
        "Meta": pairs(meta),
    }
    given = {key: value for key, value in flags.items() if value is not None}
    if bool(files) == bool(name) or (files and given):
        raise typer.BadParameter("give either files, or --name with the flags that describe one service")

    from xdsmesh.cli.client import Client
    from xdsmesh.cli.waiting import waiting

    awaited = waiting(wait=wait, wait_timeout=wait_timeout)
    with Client(http_addr, token, ca_cert, awaited) as client:
        if name:
            client.register_service(service_of(name, given))
            typer.echo(f"Registered service: {name}")
        else:
            register_files(client, files or (), progress_shown=awaited is None)
    if awaited:
        awaited.report()


@app.command()
def deregister(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID|FILE",
            help="Ids, or .hcl, .json, .yaml files that define services.",
            autocompletion=known_ids,
        ),
    ] = None,
    *,
    service_id: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", help="The instance's id.", autocompletion=known_ids),
    ] = None,
    wait: Wait = False,
    wait_timeout: WaitTimeout = None,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Deregister services, and their sidecars."""
    if not targets and not service_id:
        raise typer.BadParameter("name what to deregister: ids, or files that define services")

    from xdsmesh.cli.client import Client
    from xdsmesh.cli.files import service_ids
    from xdsmesh.cli.waiting import waiting

    awaited = waiting(wait=wait, wait_timeout=wait_timeout)
    ids = [*([service_id] if service_id else []), *service_ids(targets or ())]
    with Client(http_addr, token, ca_cert, awaited) as client:
        for each in ids:
            client.deregister_service(each)
            typer.echo(f"Deregistered service: {each}")
    if awaited:
        awaited.report()


@app.command("list")
def list_(
    *,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """List the registered instances, sidecars included, and how each fares."""
    from xdsmesh.cli.check_words import health_of, status_text
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json, show_table

    with Client(http_addr, token, ca_cert) as client:
        services = client.services()
        if output_format is Format.JSON:
            show_json(services)
            return
        checks = list(client.checks().values())
    headings = ("id", "service", "kind", "health", "address", "tags", "meta")
    rows: Iterable[tuple[Cell, ...]] = (
        (
            each.id,
            each.service,
            each.kind or "service",
            status_text(health_of(each.id, checks)),
            *_where(each),
        )
        for _, each in sorted(services.items())
    )
    show_table(headings, rows)


@app.command()
def export(
    *,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="The service; * is all.", autocompletion=service_names)
    ],
    consumer_peers: Annotated[
        str, typer.Option(metavar="PEER,PEER", help="The meshes that may call it, by their names here.")
    ],
    wait: Wait = False,
    wait_timeout: WaitTimeout = None,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Let other meshes call a service, beside what is exported already."""
    peers = [each.strip() for each in consumer_peers.split(",") if each.strip()]
    if not peers:
        raise typer.BadParameter("--consumer-peers names at least one, such as east,west")
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.exports import export_to
    from xdsmesh.cli.waiting import waiting

    awaited = waiting(wait=wait, wait_timeout=wait_timeout)
    with Client(http_addr, token, ca_cert, awaited) as client:
        for warning in export_to(client, name, peers):
            typer.echo(f"warning: {warning}", err=True)
    typer.echo(f"Exported service: {name} to {', '.join(peers)}")
    if awaited:
        awaited.report()


@app.command("exported-services")
def exported_services(
    *,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """List the services that other meshes may call, and which meshes."""
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.exports import exported, peers_of
    from xdsmesh.cli.output import show_json, show_table

    with Client(http_addr, token, ca_cert) as client:
        services = exported(client).services
    if output_format is Format.JSON:
        show_json(services)
    elif services:
        show_table(
            ("service", "consumer peers"), ((each["Name"], ", ".join(peers_of(each))) for each in services)
        )
    else:
        typer.echo("No service is exported.")


def _where(service: "AgentService") -> tuple[str, ...]:
    """Its address, tags and meta."""
    meta = " ".join(f"{key}={value}" for key, value in sorted(service.meta.items()))
    address = f"{service.address}:{service.port}" if service.port else service.address
    return (address, ",".join(service.tags), meta)

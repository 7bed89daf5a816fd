"""``xdsmesh services``: register, deregister and list service instances."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from xdsmesh.cli.errors import ServerRefusedError
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
    from xdsmesh.cli.client import AgentService

app = typer.Typer(help="Register, deregister and list service instances.", no_args_is_help=True)


@app.command()
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
    address: Annotated[str | None, typer.Option(metavar="HOST", help="Its address; else the node's.")] = None,
    port: Annotated[int | None, typer.Option(metavar="PORT", min=0, max=65535, help="Its port.")] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="TAG", help="Repeatable.")] = None,
    meta: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Repeatable.")] = None,
    wait: Wait = False,
    wait_timeout: WaitTimeout = None,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Register the services of files, or one that flags describe; none if one of them is wrong."""
    flags = {"ID": service_id, "Address": address, "Port": port, "Tags": tag, "Meta": pairs(meta)}
    given = {key: value for key, value in flags.items() if value is not None}
    if bool(files) == bool(name) or (files and given):
        raise typer.BadParameter("give either files, or --name with the flags that describe one service")

    from xdsmesh.cli.client import Client
    from xdsmesh.cli.files import service_body, services_of
    from xdsmesh.cli.waiting import waiting

    awaited = waiting(wait=wait, wait_timeout=wait_timeout)
    with Client(http_addr, token, ca_cert, awaited) as client:
        for located in services_of(files or ()):
            try:
                client.register_service(service_body(located.value))
            except ServerRefusedError as error:
                raise error.at({located.value.name: located.place}) from error
            typer.echo(f"Registered service: {located.value.name}")
        if name:
            client.register_service(json.dumps({"Name": name, **given}).encode())
            typer.echo(f"Registered service: {name}")
    if awaited:
        awaited.report()


@app.command()
def deregister(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID|FILE", help="Ids, or .hcl, .json, .yaml files that define services."),
    ] = None,
    *,
    service_id: Annotated[str | None, typer.Option("--id", metavar="ID", help="The instance's id.")] = None,
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
    """List the registered instances, sidecars included."""
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json, show_table

    with Client(http_addr, token, ca_cert) as client:
        services = client.services()
    if output_format is Format.JSON:
        show_json(services)
        return
    headings = ("id", "service", "kind", "address", "tags", "meta")
    show_table(headings, (_row(services[each]) for each in sorted(services)))


def _row(service: "AgentService") -> tuple[str, ...]:
    meta = " ".join(f"{key}={value}" for key, value in sorted(service.meta.items()))
    address = f"{service.address}:{service.port}" if service.port else service.address
    return (service.id, service.service, service.kind or "service", address, ",".join(service.tags), meta)

"""``xdsmesh dc status``: how the datacenters are linked, what is wrong, and what to do."""

from typing import TYPE_CHECKING, Annotated

import typer

from xdsmesh.cli.errors import REFUSED, CommandError
from xdsmesh.cli.options import DEFAULT_HTTP_ADDR, CaCert, Format, HttpAddr, OutputFormat, Token

if TYPE_CHECKING:
    from xdsmesh.federation.report import DatacenterStatus, MeshStatus


def status(
    datacenter: Annotated[
        str, typer.Argument(metavar="DATACENTER", help="Only this one; else all.", show_default=False)
    ] = "",
    *,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Show the datacenters, the links to them, and what is wrong; exit 1 if that stops a link or traffic.

    A link that is not up is tried step by step, so that the reason is told with what to do about it.
    """
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json
    from xdsmesh.federation.report import MeshStatus

    with Client(http_addr, token, ca_cert) as client:
        mesh = client.call("GET", "/v1/xdsmesh/datacenters", MeshStatus)
    shown = _chosen(mesh, datacenter)
    if output_format is Format.JSON:
        show_json(shown)
    else:
        _show(shown)
    if any(trouble.stops for each in shown for trouble in each.troubles):
        raise typer.Exit(REFUSED)


def _chosen(mesh: "MeshStatus", datacenter: str) -> "tuple[DatacenterStatus, ...]":
    found = tuple(each for each in mesh.datacenters if datacenter in ("", each.datacenter))
    if not found:
        known = ", ".join(each.datacenter for each in mesh.datacenters)
        raise CommandError(f"no datacenter is called {datacenter!r}: there is {known}")
    return found


def _show(shown: "tuple[DatacenterStatus, ...]") -> None:
    from xdsmesh.cli.dc_text import GATEWAY_HEADINGS, HEADINGS, gateway_rows, row, trouble_lines
    from xdsmesh.cli.output import show_table

    show_table(HEADINGS, map(row, shown))
    if gateways := [each for datacenter in shown for each in gateway_rows(datacenter)]:
        typer.echo()
        show_table(GATEWAY_HEADINGS, gateways)
    for each in shown:
        for line in trouble_lines(each):
            typer.echo(line)

"""``xdsmesh dc``: the datacenters of the mesh."""

import typer

from xdsmesh.cli import dc_status

app = typer.Typer(help="See the datacenters of the mesh, and how they are linked.", no_args_is_help=True)
app.command()(dc_status.status)

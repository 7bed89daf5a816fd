"""``xdsmesh dc``: the datacenters of the mesh."""

import typer

from xdsmesh.cli import dc_joining, dc_status

app = typer.Typer(help="Join datacenters into one mesh, and see how they are linked.", no_args_is_help=True)
app.command(epilog=dc_joining.EXAMPLES)(dc_joining.token)
app.command(epilog=dc_joining.EXAMPLES)(dc_joining.join)
app.command()(dc_joining.remove)
app.command()(dc_status.status)

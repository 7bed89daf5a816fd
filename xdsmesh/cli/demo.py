"""``xdsmesh demo``: a mesh on this machine, shown at work."""

from typing import Annotated

import typer

from xdsmesh.cli.options import Format, OutputFormat


def demo(
    *,
    identity: Annotated[
        bool, typer.Option("--identity", help="Show who may call whom instead, and who is refused.")
    ] = False,
    datacenters: Annotated[bool, typer.Option("--datacenters", help="Not built yet.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running; say what to try.")] = False,
    output_format: OutputFormat = Format.TABLE,
) -> None:
    """Start a mesh of real Envoys on this machine, shift its traffic, and show that it held."""
    if datacenters:
        raise typer.BadParameter("--datacenters is not built yet; without it the demo shows a traffic shift")
    from xdsmesh.demo import run

    raise typer.Exit(run(identity=identity, keep=keep, format=output_format.value))

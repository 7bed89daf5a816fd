"""``xdsmesh demo``: a mesh on this machine, shown at work."""

from typing import Annotated

import typer

from xdsmesh.cli.options import Format, OutputFormat


def demo(
    *,
    identity: Annotated[
        bool, typer.Option("--identity", help="Show who may call whom instead, and who is refused.")
    ] = False,
    datacenters: Annotated[
        bool,
        typer.Option("--datacenters", help="Or two datacenters, and what a spy between their gateways sees."),
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running; say what to try.")] = False,
    output_format: OutputFormat = Format.TABLE,
) -> None:
    """Start a mesh of real Envoys on this machine, shift its traffic, and show that it held."""
    if identity and datacenters:
        raise typer.BadParameter("--identity and --datacenters are two demos: ask for one at a time")
    from xdsmesh.demo import run

    as_json = output_format is Format.JSON
    shown = run(
        "datacenters" if datacenters else "identity" if identity else "shift", keep=keep, as_json=as_json
    )
    raise typer.Exit(shown)

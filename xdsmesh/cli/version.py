"""``xdsmesh version``."""

import typer

from xdsmesh.cli.options import Format, OutputFormat


def version(*, output_format: OutputFormat = Format.TABLE) -> None:
    """Print the version of this command."""
    from xdsmesh import __version__

    if output_format is Format.JSON:
        from xdsmesh.cli.output import show_json

        show_json({"Version": __version__})
    else:
        typer.echo(f"xdsmesh {__version__}")

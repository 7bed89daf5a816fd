"""``xdsmesh version``."""

import typer


def version() -> None:
    """Print the version of this command."""
    from xdsmesh import __version__

    typer.echo(f"xdsmesh {__version__}")

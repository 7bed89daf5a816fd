"""``xdsmesh reload``: what Consul's users type after an edit, and need not."""

import typer


def reload() -> None:
    """Say why nothing needs to be reloaded."""
    typer.echo("Nothing to do: the server follows the files in its --config-dir by itself.")

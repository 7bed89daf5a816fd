"""The ``xdsmesh`` command: one module per group of commands.

Every command imports what it needs when it runs, so that ``xdsmesh --help`` answers at once.
"""

import sys

import typer

from xdsmesh.cli import (
    ca,
    chain,
    config,
    demo,
    envoy,
    intention,
    proxies,
    server,
    services,
    validate,
    version,
)
from xdsmesh.cli.errors import REFUSED, CommandError
from xdsmesh.model.errors import NotFoundError, OwnershipError, RefusedError

app = typer.Typer(
    name="xdsmesh",
    help="A service-mesh control plane for stock Envoy proxies.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("server")(server.server)
app.command("envoy")(envoy.envoy)
app.add_typer(config.app, name="config")
app.add_typer(services.app, name="services")
app.add_typer(intention.app, name="intention")
app.add_typer(ca.app, name="ca")
app.command("validate")(validate.validate)
app.command("chain")(chain.chain)
app.add_typer(proxies.app, name="proxies")
app.command("demo")(demo.demo)
app.command("version")(version.version)


def main() -> None:
    """Run the command. It exits 0 when done, 1 when refused, 2 on wrong usage, 130 on Ctrl-C."""
    try:
        app()
    except (CommandError, RefusedError, NotFoundError, OwnershipError) as error:
        typer.echo(error, err=True)
        sys.exit(REFUSED)

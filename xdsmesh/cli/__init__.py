"""The ``xdsmesh`` command: one module per group of commands.

Every command imports what it needs when it runs, so that ``xdsmesh --help`` answers at once.
"""

import sys
from typing import Final

import typer

from xdsmesh.cli import (
    ca,
    catalog,
    chain,
    checks,
    config,
    dc,
    demo,
    envoy,
    init,
    intention,
    maint,
    members,
    proxies,
    reload,
    server,
    services,
    token,
    validate,
    version,
    watch,
)
from xdsmesh.cli.errors import REFUSED, WRONG_USAGE, CommandError
from xdsmesh.cli.spelling import Group
from xdsmesh.model.errors import NotFoundError, OwnershipError, RefusedError

_RUN: Final = "Run"
_WRITE: Final = "Say what the mesh shall be"
_SEE: Final = "See what it is"
_EXAMPLES: Final = """Examples:

xdsmesh server --dev

xdsmesh services register web.hcl

xdsmesh envoy --sidecar-for web-1

xdsmesh config write --wait splitter.hcl

xdsmesh proxies

Flags may be spelled with one dash, as Consul's command has them: -http-addr, -format json. Its -datacenter,
-namespace, -partition, -stale and -token-file are taken, too.

Exit codes: 0 done, 1 refused, 2 wrong usage."""

app = typer.Typer(
    name="xdsmesh",
    help="A service-mesh control plane for stock Envoy proxies.",
    epilog=_EXAMPLES,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
    pretty_exceptions_enable=False,
    cls=Group,
)
app.command("server", rich_help_panel=_RUN)(server.server)
app.command("envoy", rich_help_panel=_RUN, epilog=envoy.EXAMPLES)(envoy.envoy)
app.command("demo", rich_help_panel=_RUN)(demo.demo)
app.add_typer(init.app, name="init", cls=Group, rich_help_panel=_RUN)
app.add_typer(config.app, name="config", cls=Group, rich_help_panel=_WRITE)
app.add_typer(services.app, name="services", cls=Group, rich_help_panel=_WRITE)
app.add_typer(intention.app, name="intention", cls=Group, rich_help_panel=_WRITE)
app.add_typer(checks.app, name="checks", cls=Group, rich_help_panel=_WRITE)
app.command("maint", rich_help_panel=_WRITE)(maint.maint)
app.add_typer(ca.app, name="ca", cls=Group, rich_help_panel=_WRITE)
app.add_typer(dc.app, name="dc", cls=Group, rich_help_panel=_WRITE)
app.add_typer(token.app, name="token", cls=Group, rich_help_panel=_WRITE)
app.command("validate", rich_help_panel=_WRITE)(validate.validate)
app.command("reload", rich_help_panel=_WRITE)(reload.reload)
app.add_typer(proxies.app, name="proxies", cls=Group, rich_help_panel=_SEE)
app.command("chain", rich_help_panel=_SEE)(chain.chain)
app.add_typer(catalog.app, name="catalog", cls=Group, rich_help_panel=_SEE)
app.command("members", rich_help_panel=_SEE)(members.members)
app.command("watch", rich_help_panel=_SEE, epilog=watch.EXAMPLES, context_settings=watch.READING)(watch.watch)
app.command("version", rich_help_panel=_SEE)(version.version)

# Where Consul's command has them.
connect = typer.Typer(help="The same as `xdsmesh envoy` and `xdsmesh ca`.", no_args_is_help=True)
connect.command("envoy")(envoy.envoy)
connect.add_typer(ca.app, name="ca", cls=Group)
app.add_typer(connect, name="connect", cls=Group, hidden=True)


def main() -> None:
    """Run the command. It exits 0 when done, 1 when refused, 2 on wrong usage, 130 on Ctrl-C."""
    try:
        app()
    except (CommandError, RefusedError, NotFoundError, OwnershipError) as error:
        typer.echo(error, err=True)
        sys.exit(REFUSED)
    except UnicodeEncodeError:
        typer.echo("an argument, or what it names, has bytes that are no text", err=True)
        sys.exit(WRONG_USAGE)

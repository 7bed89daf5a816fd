"""``xdsmesh server``."""

import os
from pathlib import Path
from typing import Annotated

import typer

from xdsmesh.cli.errors import WRONG_USAGE
from xdsmesh.model.errors import RefusedError
from xdsmesh.settings import IntentionPolicy, LogFormat, Settings


def server(
    *,
    dev: Annotated[bool, typer.Option("--dev", help="All in memory, on loopback, no credentials.")] = False,
    config_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Read service and config entry files; follow changes.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep the mesh's state here.")] = None,
    encryption_key_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The key that seals private keys in the store: base64 of 32 bytes; default: "
            "XDSMESH_ENCRYPTION_KEY, or encryption.key in the data folder, made on the first start.",
        ),
    ] = None,
    roots_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep the roots of the mesh here, in PEM, for proxies that know the server by a file.",
        ),
    ] = None,
    http_addr: Annotated[
        str | None,
        typer.Option(
            metavar="ADDR",
            help="HTTP API: host:port (0 takes a free port), or off; default: 127.0.0.1:8500.",
        ),
    ] = None,
    https_addr: Annotated[
        str | None, typer.Option(metavar="ADDR", help="HTTP API over TLS; default: off.")
    ] = None,
    xds_addr: Annotated[
        str | None, typer.Option(metavar="ADDR", help="xDS, for the proxies; default: 127.0.0.1:8502.")
    ] = None,
    xds_tls_addr: Annotated[
        str | None, typer.Option(metavar="ADDR", help="xDS over TLS; default: off.")
    ] = None,
    dns_addr: Annotated[str | None, typer.Option(metavar="ADDR", help="DNS; default: off.")] = None,
    federation_addr: Annotated[
        str | None,
        typer.Option(
            metavar="ADDR",
            help="For other datacenters, through the mesh gateways; default: a free port beside xDS.",
        ),
    ] = None,
    advertise_addr: Annotated[
        str | None,
        typer.Option(metavar="IP", help="Where other machines reach this one; default: the listener's."),
    ] = None,
    node: Annotated[
        str | None, typer.Option(metavar="NAME", help="This machine in the catalog; default: its host name.")
    ] = None,
    datacenter: Annotated[str | None, typer.Option(metavar="NAME", help="Default: dc1.")] = None,
    trust_domain: Annotated[
        str | None, typer.Option(metavar="NAME", help="Default: a generated <uuid>.consul.")
    ] = None,
    default_intention_policy: Annotated[
        IntentionPolicy | None,
        typer.Option(help="For calls that no intention decides; default: allow with --dev, else deny."),
    ] = None,
    log_format: Annotated[LogFormat | None, typer.Option(help="Default: console.")] = None,
) -> None:
    """Run the control plane, until SIGTERM or Ctrl-C."""
    try:
        settings = Settings.parse(
            dev=dev,
            config_dir=config_dir,
            data_dir=data_dir,
            encryption_key_file=encryption_key_file,
            encryption_key=os.environ.get("XDSMESH_ENCRYPTION_KEY"),
            roots_file=roots_file,
            http_addr=http_addr,
            https_addr=https_addr,
            xds_addr=xds_addr,
            xds_tls_addr=xds_tls_addr,
            dns_addr=dns_addr,
            federation_addr=federation_addr,
            advertise_addr=advertise_addr,
            node=node,
            datacenter=datacenter,
            trust_domain=trust_domain,
            default_intention_policy=default_intention_policy,
            log_format=log_format,
        )
    except RefusedError as error:
        typer.echo(error, err=True)
        raise typer.Exit(WRONG_USAGE) from error

    # What gRPC's library has to say comes with the calls that fail, too; on stderr it is no line of the log.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")

    from xdsmesh.serve import run

    raise typer.Exit(run(settings))

"""``xdsmesh init``: a mesh for one's own services, as files to look at, to edit and to start."""

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from xdsmesh.cli.errors import WRONG_USAGE, CommandError

_COMPOSE: Final = """Examples:

xdsmesh init compose --service web:8080 --service api:9090 --upstream web:api:9191

xdsmesh init compose --service web:80 --image web=nginx:stable --publish web:8000 --out shop

xdsmesh init compose --service api:9090 --service db:5432 --upstream api:db:5432 --protocol db=tcp"""
_SYSTEMD: Final = """Examples:

xdsmesh init systemd --service web:8080 --service api:9090 --upstream web:api:9191

xdsmesh init systemd --service db:5432 --protocol db=tcp --out /root/mesh"""

_Services = Annotated[
    list[str] | None,
    typer.Option(
        "--service", metavar="NAME:PORT", help="A service, and where its application listens. Repeatable."
    ),
]
_Upstreams = Annotated[
    list[str] | None,
    typer.Option(
        "--upstream",
        metavar="CALLER:SERVICE:PORT",
        help="Who calls whom, and at which port of its own sidecar; allowed, as nothing else is. Repeatable.",
    ),
]
_Protocols = Annotated[
    list[str] | None,
    typer.Option(
        "--protocol",
        metavar="NAME=PROTOCOL",
        help="What a service speaks: tcp, http, http2 or grpc; else http. Repeatable.",
    ),
]
_Out = Annotated[Path, typer.Option(metavar="DIR", help="Where to write; no file there is replaced.")]
_UNSEEN: Final = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - nothing is written there
"""What ProtectHome and PrivateTmp keep from units."""
_DEFAULT_OUT: Final = Path("my-mesh")

app = typer.Typer(
    help="Write a mesh for your services: for containers, or for systemd.", no_args_is_help=True
)


@app.command(epilog=_COMPOSE)
def compose(
    *,
    service: _Services = None,
    upstream: _Upstreams = None,
    protocol: _Protocols = None,
    image: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=IMAGE", help="The image of a service; else a stand-in. Repeatable."),
    ] = None,
    publish: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:PORT", help="The port of 127.0.0.1 for an application. Repeatable."),
    ] = None,
    subnet: Annotated[str, typer.Option(metavar="ADDRESS/16", help="The addresses of the containers.")] = (
        "10.73.0.0/16"
    ),
    out: _Out = _DEFAULT_OUT,
) -> None:
    """Write a compose file: a control plane, and for each service its application and its sidecar."""
    from xdsmesh.init import compose_files, read_services, read_subnet

    services, wrong = read_services(service or (), upstream or (), protocol or (), image or (), publish or ())
    addresses, no_subnet = read_subnet(subnet)
    files, more = compose_files(services, addresses)
    _write(out, files, (*wrong, *no_subnet, *more))
    typer.echo("Once, in the source of xdsmesh: docker build -t xdsmesh:local .")
    typer.echo(f"Start it: cd {shlex.quote(str(out))} && docker compose up")


@app.command(epilog=_SYSTEMD)
def systemd(
    *,
    service: _Services = None,
    upstream: _Upstreams = None,
    protocol: _Protocols = None,
    out: _Out = _DEFAULT_OUT,
) -> None:
    """Write units: the control plane and a sidecar for each service, on this machine's loopback."""
    from xdsmesh.init import read_services, systemd_files

    services, wrong = read_services(service or (), upstream or (), protocol or ())
    command = Path(sys.executable).with_name("xdsmesh")
    files, more = systemd_files(services, str(command))
    _write(out, files, (*wrong, *more))
    if unseen := next(filter(command.is_relative_to, _UNSEEN), None):
        typer.echo(f"{command} is in {unseen}, where units see nothing: install it in /opt", err=True)
    typer.echo(f"Install them: {out / 'README.md'} says how")


def _write(folder: Path, files: Mapping[str, str], problems: Sequence[str]) -> None:
    """Write all files, or none if something was asked wrongly or one of them is there already."""
    if problems:
        typer.echo("\n".join(problems), err=True)
        raise typer.Exit(WRONG_USAGE)
    there = [str(folder / name) for name in files if (folder / name).exists()]
    if there:
        what = "\n".join(f"{each}: is there already" for each in there)
        raise CommandError(f"{what}\nnothing was written: name another folder with --out, or remove these")
    # Their readers are other users: the control plane's and Envoy's. There are no secrets in them.
    os.umask(0o022)
    try:
        for name, text in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
    except OSError as error:
        raise CommandError(f"cannot write {error.filename or folder}: {error.strerror}") from error
    typer.echo(f"Wrote {len(files)} files into {folder}")

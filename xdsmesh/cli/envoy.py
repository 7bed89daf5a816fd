"""``xdsmesh envoy``: a local Envoy with a generated bootstrap."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from xdsmesh.cli.complete import fronted_ids, gateway_kinds, sidecar_ids
from xdsmesh.cli.control_plane import find_control_plane, parse_address, parse_xds, transport_socket
from xdsmesh.cli.errors import CommandError
from xdsmesh.cli.gateways import Registration, check_id, kind_of
from xdsmesh.cli.options import DEFAULT_HTTP_ADDR, CaCert, HttpAddr, Token, read_token
from xdsmesh.cli.whose import check_whose, find
from xdsmesh.model.token import FILE_VARIABLE, VARIABLE

if TYPE_CHECKING:
    from xdsmesh.bootstrap import HostPort

EXAMPLES: Final = """Examples:

xdsmesh envoy --sidecar-for web-1

xdsmesh envoy --proxy-id web-1-sidecar-proxy --bootstrap > bootstrap.json

xdsmesh envoy --sidecar-for web-1 --admin-bind 127.0.0.1:19000 -- --log-level debug

xdsmesh envoy --gateway mesh --register --address 10.0.1.9:8443 --wan-address 203.0.113.7:443"""


def envoy(
    context: typer.Context,
    envoy_args: Annotated[
        list[str] | None, typer.Argument(metavar="-- ENVOY-ARG", help="More arguments for Envoy.")
    ] = None,
    *,
    sidecar_for: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The instance that Envoy stands before.", autocompletion=fronted_ids),
    ] = None,
    proxy_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Or the proxy itself.", autocompletion=sidecar_ids),
    ] = None,
    gateway: Annotated[
        str | None,
        typer.Option(
            metavar="mesh",
            help="Or the gateway of this kind; of several, with --proxy-id.",
            autocompletion=gateway_kinds,
        ),
    ] = None,
    register: Annotated[
        bool, typer.Option("--register", help="Register the gateway first; its ID is that of --proxy-id.")
    ] = False,
    service: Annotated[
        str, typer.Option(metavar="NAME", help="The gateway's name; default: mesh-gateway.")
    ] = "",
    address: Annotated[
        str, typer.Option(metavar="IP:PORT", help="To register: where its own datacenter reaches it.")
    ] = "",
    wan_address: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="And where others do; default: the same.")
    ] = "",
    bind_address: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=IP:PORT", help="And where it listens, if elsewhere; may be repeated."),
    ] = None,
    bootstrap: Annotated[
        bool, typer.Option("--bootstrap", help="Print the bootstrap (JSON), and run nothing.")
    ] = False,
    admin_bind: Annotated[
        str, typer.Option(metavar="IP:PORT|off", help="Where Envoy opens its admin interface.")
    ] = "off",
    xds_addr: Annotated[
        str | None,
        typer.Option(
            "--xds-addr",
            "--grpc-addr",
            metavar="ADDR",
            help="The server's xDS, host:port or https://host:port; default: the server's word, TLS first.",
        ),
    ] = None,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Or a file that has the token; Envoy reads it as it starts."),
    ] = None,
    ca_cert: CaCert = None,
) -> None:
    """Run the Envoy of a sidecar or a gateway. A token is for its stream, and for asking the server."""
    token_file = token_file or _file_of_environment(context)
    if token_file:
        token = read_token(token_file)
    given = (
        Registration(kind_of(gateway), service, proxy_id or "", address, wan_address, bind_address or [])
        if gateway is not None
        else None
    )
    check_whose(sidecar_for, proxy_id, given, register=register)
    admin = _parse_admin(admin_bind)
    wanted = parse_xds(xds_addr) if xds_addr else None

    from xdsmesh.bootstrap import EnvoyNotFoundError, exec_envoy, find_envoy, make_bootstrap
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json

    with Client(http_addr, token, ca_cert) as client:
        if given and register:
            body = given.body()
            check_id(client.services(), given)
            client.register_service(body)
        proxy = find(client.services(), sidecar_for, given.own_id if given and register else proxy_id, given)
        xds, trust = find_control_plane(client, wanted, ca_cert)
    socket = transport_socket(trust, in_memory=not bootstrap) if trust else None
    made = make_bootstrap(
        proxy.id, proxy.destination or proxy.service, xds, admin, token_file, transport_socket=socket
    )
    if bootstrap:
        show_json(made)
        return
    if token and not token_file:
        os.environ[VARIABLE] = token  # where its bootstrap takes it from
    try:
        exec_envoy(find_envoy(), made, envoy_args or ())
    except (EnvoyNotFoundError, OSError) as error:
        raise CommandError(f"cannot run Envoy: {error}") from error


def _file_of_environment(context: typer.Context) -> Path | None:
    """The file that the environment names, unless a token was given more directly."""
    source = context.get_parameter_source("token")
    file = os.environ.get(FILE_VARIABLE)
    return Path(file) if file and source and source.name == "DEFAULT" else None


def _parse_admin(text: str) -> "HostPort | None":
    if text == "off":
        return None
    address = parse_address("--admin-bind", text)
    if not address.is_ip:
        raise typer.BadParameter(f"--admin-bind: {address.host!r} is not an IP address, such as 127.0.0.1")
    return address

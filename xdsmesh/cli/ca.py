"""``xdsmesh ca``: the certificate authority of the mesh, its root, and leaves for services."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from xdsmesh.cli.errors import CommandError
from xdsmesh.cli.options import DEFAULT_HTTP_ADDR, CaCert, Format, HttpAddr, OutputFormat, Token

_CONFIGURATION: Final = "/v1/connect/ca/configuration"

app = typer.Typer(help="See and configure the certificate authority.", no_args_is_help=True)


@app.command("get-config")
def get_config(*, http_addr: HttpAddr = DEFAULT_HTTP_ADDR, token: Token = "", ca_cert: CaCert = None) -> None:
    """Print the configuration as JSON."""
    from xdsmesh.cli.client import Client

    with Client(http_addr, token, ca_cert) as client:
        configuration = client.call("GET", _CONFIGURATION, dict[str, Any])
    typer.echo(json.dumps(configuration, indent="\t", ensure_ascii=False))


@app.command("set-config")
def set_config(
    *,
    config_file: Annotated[
        Path, typer.Option("--config-file", "-config-file", metavar="FILE", help="As get-config prints it.")
    ],
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Change the configuration, such as how long leaves are valid."""
    from xdsmesh.cli.client import Client

    try:
        body = config_file.read_bytes()
    except OSError as error:
        raise CommandError(f"{config_file}: cannot be read: {error.strerror}") from error
    with Client(http_addr, token, ca_cert) as client:
        client.send("PUT", _CONFIGURATION, body=body)
    typer.echo("Configuration updated!")


@app.command()
def roots(
    *,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Show the certificates that the mesh trusts."""
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json, show_table

    with Client(http_addr, token, ca_cert) as client:
        answer = client.call("GET", "/v1/connect/ca/roots", dict[str, Any])
    if output_format is Format.JSON:
        show_json(answer)
        return
    rows = (
        (answer["TrustDomain"], "yes" if each["Active"] else "no", each["NotAfter"], each["ID"])
        for each in answer["Roots"]
    )
    show_table(("trust domain", "active", "not after", "id"), rows)


@app.command()
def leaf(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="The service's name.")],
    *,
    key: Annotated[bool, typer.Option("--key", help="Print the private key, too: a secret.")] = False,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Print the certificate of a service (PEM)."""
    from xdsmesh.cli.client import Client, segment

    with Client(http_addr, token, ca_cert) as client:
        answer = client.call("GET", f"/v1/agent/connect/ca/leaf/{segment(service)}", dict[str, Any])
    typer.echo(answer["CertPEM"], nl=False)
    if key:
        typer.echo(answer["PrivateKeyPEM"], nl=False)

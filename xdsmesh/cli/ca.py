"""``xdsmesh ca``: the certificate authority of the mesh, its root, and leaves for services."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from xdsmesh.cli import rotation
from xdsmesh.cli.complete import service_names
from xdsmesh.cli.errors import CommandError
from xdsmesh.cli.options import (
    DEFAULT_HTTP_ADDR,
    CaCert,
    Format,
    HttpAddr,
    OutputFormat,
    Token,
    Wait,
    WaitTimeout,
)

_CONFIGURATION: Final = "/v1/connect/ca/configuration"

_STDIN: Final = Path("-")


class CertificateFormat(StrEnum):
    """How certificates are shown."""

    PEM = "pem"
    TABLE = "table"
    JSON = "json"


app = typer.Typer(help="See, configure and rotate the certificate authority.", no_args_is_help=True)
app.command()(rotation.rotate)
app.command()(rotation.status)


@app.command("get-config")
def get_config(
    *,
    output_format: OutputFormat = Format.JSON,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Print the configuration."""
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_fields

    with Client(http_addr, token, ca_cert) as client:
        configuration = client.call("GET", _CONFIGURATION, dict[str, Any])
    if output_format is Format.TABLE:
        show_fields(configuration)
    else:
        typer.echo(json.dumps(configuration, indent="\t", ensure_ascii=False))


@app.command("set-config")
def set_config(
    *,
    config_file: Annotated[
        Path, typer.Option(metavar="FILE", help="As get-config prints it; - is standard input.")
    ],
    wait: Wait = False,
    wait_timeout: WaitTimeout = None,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Change the configuration, such as how long leaves are valid."""
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.waiting import waiting

    awaited = waiting(wait=wait, wait_timeout=wait_timeout)
    try:
        body = sys.stdin.buffer.read() if config_file == _STDIN else config_file.read_bytes()
    except OSError as error:
        raise CommandError(f"{config_file}: cannot be read: {error.strerror}") from error
    with Client(http_addr, token, ca_cert, awaited) as client:
        client.write("PUT", _CONFIGURATION, body=body)
    typer.echo("Configuration updated!")
    if awaited:
        awaited.report()


@app.command()
def roots(
    *,
    output_format: Annotated[
        CertificateFormat, typer.Option("--format", help="How to show the result.")
    ] = CertificateFormat.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Show the certificates that the mesh trusts."""
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json, show_table

    with Client(http_addr, token, ca_cert) as client:
        answer = client.call("GET", "/v1/connect/ca/roots", dict[str, Any])
    if output_format is CertificateFormat.PEM:
        typer.echo("".join([each["RootCert"] for each in answer["Roots"]]), nl=False)
        return
    if output_format is CertificateFormat.JSON:
        show_json(answer)
        return
    rows = (
        (answer["TrustDomain"], "yes" if each["Active"] else "no", each["NotAfter"], each["ID"])
        for each in answer["Roots"]
    )
    show_table(("trust domain", "active", "not after", "id"), rows)


@app.command()
def leaf(
    service: Annotated[
        str, typer.Argument(metavar="SERVICE", help="The service's name.", autocompletion=service_names)
    ],
    *,
    key: Annotated[bool, typer.Option("--key", help="Print the private key, too: a secret.")] = False,
    output_format: Annotated[
        CertificateFormat, typer.Option("--format", help="How to show the result.")
    ] = CertificateFormat.PEM,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Print the certificate of a service."""
    from xdsmesh.cli.client import Client, segment
    from xdsmesh.cli.output import show_fields, show_json

    with Client(http_addr, token, ca_cert) as client:
        answer = client.call("GET", f"/v1/agent/connect/ca/leaf/{segment(service)}", dict[str, Any])
    if not key:
        del answer["PrivateKeyPEM"]
    if output_format is CertificateFormat.PEM:
        typer.echo(answer["CertPEM"] + answer.get("PrivateKeyPEM", ""), nl=False)
    elif output_format is CertificateFormat.JSON:
        show_json(answer)
    else:
        show_fields(answer)

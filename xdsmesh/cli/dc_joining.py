"""``xdsmesh dc token``, ``join`` and ``remove``: datacenters come together in one mesh, and part."""

import sys
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from xdsmesh.cli.errors import CommandError
from xdsmesh.cli.options import DEFAULT_HTTP_ADDR, CaCert, Format, HttpAddr, OutputFormat, Token

_PATH: Final = "/v1/xdsmesh/dc"
_STDIN: Final = "-"
_PATIENCE_SECONDS: Final = 120
"""The server looks for a way, asks the primary, and waits for its first news: up to half a minute each."""

EXAMPLES: Final = """Examples:

xdsmesh dc token --out join.token

xdsmesh dc join --join-token-file join.token

ssh dc1 xdsmesh dc token | xdsmesh dc join -"""


def token(
    *,
    datacenter: Annotated[
        str,
        typer.Option(metavar="NAME", help="For that one alone; also lets one come again that has joined."),
    ] = "",
    ttl: Annotated[str, typer.Option(metavar="DURATION", help="How long it works, once.")] = "1h",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there (mode 0600), and print nothing of it.")
    ] = None,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Make a token with which another datacenter joins this one, the primary: a secret, which works once."""
    import msgspec

    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json
    from xdsmesh.cli.secret_file import SecretFile

    body = msgspec.json.encode({"Datacenter": datacenter, "TTL": ttl})
    with SecretFile(out) if out else nullcontext() as file, Client(http_addr, token, ca_cert) as client:
        made = client.call("PUT", f"{_PATH}/token", dict[str, Any], body=body)
        if file:
            file.keep(made.pop("Token"))
    if output_format is Format.JSON:
        show_json(made)
        return
    end = datetime.fromisoformat(made["ExpirationTime"])
    typer.echo(
        f"It lets {datacenter or 'one datacenter'} join, once, until {end:%Y-%m-%d %H:%M:%S} UTC:"
        " give it to `xdsmesh dc join` there.",
        err=True,
    )
    typer.echo(made["Token"] if out is None else f"It is in {out}.", err=out is not None)


def join(
    join_token: Annotated[
        str, typer.Argument(metavar="[TOKEN]", help="As `xdsmesh dc token` made it; - is standard input.")
    ] = "",
    *,
    join_token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Or a file that has it.")
    ] = None,
    discard_entries: Annotated[
        bool,
        typer.Option("--discard-entries", help="Delete the config entries here: the primary's count then."),
    ] = False,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Join the datacenter that made a token, the primary: its root, trust domain and config entries count.

    Proxies get their new identities at once. It returns when the config entries of the primary are here.
    """
    import httpx
    import msgspec

    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json

    body = msgspec.json.encode(
        {"Token": _read(join_token, join_token_file), "DiscardEntries": discard_entries}
    )
    timeout = httpx.Timeout(_PATIENCE_SECONDS, connect=5)
    with Client(http_addr, token, ca_cert) as client:
        response = client.send("PUT", f"{_PATH}/join", body=body, timeout=timeout)
        joined = client.decode(response, dict[str, Any])
    if output_format is Format.JSON:
        show_json(joined)
        return
    primary, domain = joined["Primary"], joined["TrustDomain"]
    typer.echo(f"{joined['Datacenter']} has joined {primary}; the trust domain is {domain} now.")
    if not joined["Synced"]:
        typer.echo(
            f"Not all is here yet, and it goes on by itself: {joined['Missing']}"
            " (`xdsmesh dc status` shows how it stands).",
            err=True,
        )


def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The datacenter that is to go.")],
    *,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Take a datacenter out of the mesh; at the primary."""
    from xdsmesh.cli.client import Client, segment

    with Client(http_addr, token, ca_cert) as client:
        client.write("DELETE", f"{_PATH}/members/{segment(name)}")
    typer.echo(
        f"{name} is removed: nobody follows it any more, and nobody calls it.\n"
        "Its server still has an intermediate, whose certificates the mesh believes until the root is another"
        f" one:\nif {name} is not to be trusted any more, rotate the root now (`xdsmesh ca rotate`)."
    )


def _read(given: str, file: Path | None) -> str:
    """The token to join with."""
    if bool(given) == bool(file):
        raise typer.BadParameter("give the token, or --join-token-file, or - for standard input")
    if given == _STDIN:
        return sys.stdin.read()
    if file is None:
        return given
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise CommandError(f"{file}: cannot be read: {reason}") from error

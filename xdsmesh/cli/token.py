"""``xdsmesh token``: the tokens by which services, gateways and operators show who they are."""

from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xdsmesh.cli.complete import service_names
from xdsmesh.cli.options import DEFAULT_HTTP_ADDR, CaCert, Format, HttpAddr, OutputFormat, Token

if TYPE_CHECKING:
    from xdsmesh.config.token import TokenBody

_PATH = "/v1/xdsmesh/tokens"

EXAMPLES = """Examples:

xdsmesh token create --service web --out web.token

xdsmesh token create --gateway mesh --name mesh-gateway --out gateway.token

xdsmesh token create --operator --data-dir /var/lib/xdsmesh

export XDSMESH_TOKEN=$(xdsmesh token create --operator)"""

app = typer.Typer(help="Make, list and delete tokens.", no_args_is_help=True)


@app.command(epilog=EXAMPLES)
def create(
    *,
    service: Annotated[
        str, typer.Option(metavar="NAME", help="For a service's sidecars.", autocompletion=service_names)
    ] = "",
    gateway: Annotated[
        str, typer.Option(metavar="mesh|ingress|terminating|api", help="Or for a gateway, by its --name.")
    ] = "",
    name: Annotated[str, typer.Option(metavar="NAME", help="The name of the gateway.")] = "",
    operator: Annotated[
        bool, typer.Option("--operator", help="Or for an operator, who may do everything at the API.")
    ] = False,
    description: Annotated[str, typer.Option(metavar="TEXT", help="A note, shown in the list.")] = "",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there (mode 0600), and print nothing of it.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Into the data of a server that is not running.")
    ] = None,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Make a token, and print it alone, or write it into a file. It is shown this once.

    Once there is one, every new stream of a proxy needs one.
    """
    from xdsmesh.cli.output import show_json
    from xdsmesh.cli.secret_file import SecretFile

    wanted = _wanted(
        {
            "Service": service,
            "Gateway": gateway,
            "Name": name,
            "Operator": operator,
            "Description": description,
        }
    )
    with SecretFile(out) if out else nullcontext() as file:
        made = _offline(data_dir, wanted) if data_dir else _online(wanted, http_addr, token, ca_cert)
        if file:
            file.keep(made.pop("SecretID"))
    if output_format is Format.JSON:
        show_json(made)
        return
    typer.echo(
        f"Token {made['AccessorID']} is for {wanted.identity}; keep it, it is not shown again.", err=True
    )
    typer.echo(made["SecretID"] if out is None else f"It is in {out}.", err=out is not None)


@app.command("list")
def list_(
    *,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """List the tokens, the oldest first; their secrets are not kept."""
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json, show_table

    with Client(http_addr, token, ca_cert) as client:
        tokens = client.call("GET", _PATH, list[dict[str, Any]])
    if output_format is Format.JSON:
        show_json(tokens)
        return
    rows = (
        (
            each["AccessorID"],
            each["Kind"],
            each["Name"],
            datetime.fromisoformat(each["CreateTime"]).isoformat(sep=" ", timespec="seconds"),
            each["CreatedBy"],
            each["Description"],
        )
        for each in tokens
    )
    show_table(("accessor", "kind", "name", "created", "by", "description"), rows)


@app.command()
def delete(
    accessor: Annotated[str, typer.Argument(metavar="ACCESSOR", help="As `xdsmesh token list` shows it.")],
    *,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Delete a token; the streams that were opened with it end at once."""
    from xdsmesh.cli.client import Client, segment

    with Client(http_addr, token, ca_cert) as client:
        client.write("DELETE", f"{_PATH}/{segment(accessor)}")
    typer.echo("Token deleted.")


def _wanted(given: dict[str, Any]) -> "TokenBody":
    """What was asked for, in the shape and by the rules of the API."""
    import msgspec

    from xdsmesh.config.files import decode_definition
    from xdsmesh.config.token import TokenBody

    return decode_definition(msgspec.json.encode(given), TokenBody)


def _online(wanted: "TokenBody", http_addr: str, token: str, ca_cert: Path | None) -> dict[str, Any]:
    import msgspec

    from xdsmesh.cli.client import Client

    with Client(http_addr, token, ca_cert) as client:
        return client.call("POST", _PATH, dict[str, Any], body=msgspec.json.encode(wanted))


def _offline(data_dir: Path, wanted: "TokenBody") -> dict[str, Any]:
    """Write into the store itself, which a running server would not let us open."""
    import asyncio
    from datetime import UTC

    from xdsmesh.model.origin import Origin, Source
    from xdsmesh.store.sqlite import SQLiteStore
    from xdsmesh.tokens.write import create_token

    async def write() -> dict[str, Any]:
        store = await SQLiteStore.open(data_dir / "state.db")
        try:
            origin = Origin(Source.API, "xdsmesh token")
            made, secret = await create_token(store, wanted, origin, lambda: datetime.now(UTC))
        finally:
            await store.close()
        return {
            "AccessorID": made.accessor,
            "SecretID": secret,
            "Kind": made.identity.kind.value,
            "Name": made.identity.name,
            "Description": made.description,
            "CreateTime": made.created_at.isoformat(),
            "CreatedBy": str(origin),
        }

    return asyncio.run(write())

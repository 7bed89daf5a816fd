"""``xdsmesh members``: the servers of the mesh."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from xdsmesh.cli.errors import WRONG_USAGE
from xdsmesh.cli.options import (
    DEFAULT_HTTP_ADDR,
    CaCert,
    Filter,
    Format,
    HttpAddr,
    OutputFormat,
    Token,
    given,
)

_STATUSES: Final = ("none", "alive", "leaving", "left", "failed")
_TYPES: Final = {"consul": "server", "node": "client"}
_HEADINGS: Final = ("node", "address", "status", "type", "build", "protocol", "dc", "partition", "segment")


def members(
    *,
    detailed: Annotated[bool, typer.Option("--detailed", help="Show the tags of each instead.")] = False,
    wan: Annotated[bool, typer.Option("--wan", help="Those of all datacenters.")] = False,
    status: Annotated[
        str, typer.Option(metavar="REGEX", help="Only with such a status: alive, leaving, left, failed.")
    ] = ".*",
    filter_: Filter = "",
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """List the servers of the mesh; exit 2 if none is found."""
    try:
        wanted = re.compile(status)
    except re.error as error:
        raise typer.BadParameter(f"--status: {status!r} is no regular expression: {error}") from error
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json, show_table

    query = given(wan="true" if wan else "", filter=filter_)
    with Client(http_addr, token, ca_cert) as client:
        every = client.call("GET", "/v1/agent/members", list[dict[str, Any]], query=query)
    found = [each for each in every if wanted.search(_status(each))]
    if output_format is Format.JSON:
        show_json(found)
    elif found and detailed:
        show_table(("node", "address", "status", "tags"), map(_detailed_row, found))
    elif found:
        show_table(_HEADINGS, map(_row, found))
    if not found:
        typer.echo("No member is found: look with fewer flags.", err=True)
        raise typer.Exit(WRONG_USAGE)


def _row(member: Mapping[str, Any]) -> tuple[str, ...]:
    tags = member["Tags"]
    return (
        member["Name"],
        _address(member),
        _status(member),
        _TYPES.get(tags.get("role", ""), "unknown"),
        tags.get("build", "").partition(":")[0],
        str(member["ProtocolCur"]),
        tags.get("dc", ""),
        "default",
        tags.get("segment") or "<all>",
    )


def _detailed_row(member: Mapping[str, Any]) -> tuple[str, ...]:
    tags = ",".join(f"{key}={value}" for key, value in sorted(member["Tags"].items()))
    return (member["Name"], _address(member), _status(member), tags)


def _address(member: Mapping[str, Any]) -> str:
    host = f"[{member['Addr']}]" if ":" in member["Addr"] else member["Addr"]
    return f"{host}:{member['Port']}"


def _status(member: Mapping[str, Any]) -> str:
    number = member["Status"]
    return _STATUSES[number] if 0 <= number < len(_STATUSES) else "unknown"

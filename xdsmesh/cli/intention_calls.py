"""What ``xdsmesh intention`` asks of the server, and what it reads from files."""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from typer import BadParameter

from xdsmesh.cli.answers import Written
from xdsmesh.cli.client import Client
from xdsmesh.cli.errors import CommandError, ServerRefusedError
from xdsmesh.cli.intention_text import Intention, source_of
from xdsmesh.cli.options import given

EXACT: Final = "/v1/connect/intentions/exact"

_NOT_FOUND: Final = "Intention not found"
_HEADER: Final = re.compile(r"([^=:]+)(?:=|:\s*)(.*)", re.DOTALL)


def pair_query(source: str, destination: str) -> dict[str, str]:
    """Two services in a query string."""
    return {"source": source, "destination": destination}


def check_query(
    source: str, destination: str, method: str, path: str, headers: Sequence[str]
) -> dict[str, str | list[str]]:
    """Two services in a query string, and what is known of a request between them.

    Raises:
        BadParameter: a header has no name or no value.
    """
    query: dict[str, str | list[str]] = {**pair_query(source, destination), **given(method=method, path=path)}
    return {**query, "header": [_header(each) for each in headers]} if headers else query


def _header(text: str) -> str:
    found = _HEADER.fullmatch(text)
    if not found:
        raise BadParameter(f"--header takes NAME=VALUE or NAME: VALUE, such as x-debug=1, not {text!r}")
    return f"{found[1]}:{found[2]}"


def write_intention(client: Client, wanted: dict[str, Any], *, replace: bool) -> Written:
    """Write an intention; with a Meta it may need a new entry, for that is what has a Meta."""
    pair = pair_query(source_of(wanted), wanted["DestinationName"])
    if not replace and _exists(client, pair):
        raise CommandError(
            f"duplicate intention found: there is one for {source_of(wanted)} => {wanted['DestinationName']}"
            " (--replace replaces it)"
        )
    if wanted.get("Meta"):
        written = client.write_entry(_as_entry(wanted), 0)
        if written.done:
            return written
    return client.written(client.write("PUT", EXACT, body=json.dumps(wanted).encode(), query=pair))


def _exists(client: Client, pair: dict[str, str]) -> bool:
    try:
        client.send("GET", EXACT, query=pair)
    except ServerRefusedError as error:
        if str(error).startswith(_NOT_FOUND):
            return False
        raise
    return True


def _as_entry(wanted: Intention) -> bytes:
    """The entry of a destination that has this one intention."""
    source = {
        "Name": wanted["SourceName"],
        "Peer": wanted.get("SourcePeer", ""),
        "Description": wanted.get("Description", ""),
        "Action": wanted.get("Action", ""),
        "Permissions": wanted.get("Permissions", []),
    }
    entry = {
        "Kind": "service-intentions",
        "Name": wanted["DestinationName"],
        "Meta": wanted["Meta"],
        "Sources": [source],
    }
    return json.dumps(entry).encode()


def read_intentions(names: Sequence[str]) -> list[dict[str, Any]]:
    """The intentions of files: an object in each, which names its services; ``-`` is standard input.

    Raises:
        CommandError: a file can't be read, or holds something else.
    """
    return [_read(name) for name in names]


def _read(name: str) -> dict[str, Any]:
    try:
        wanted = json.loads(sys.stdin.read() if name == "-" else Path(name).read_text())
    except OSError as error:
        raise CommandError(f"{name}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{name}: is no JSON: {error}") from error
    if not isinstance(wanted, dict) or not wanted.get("SourceName") or not wanted.get("DestinationName"):
        raise CommandError(f"{name}: is no intention (write an object with SourceName and DestinationName)")
    return wanted

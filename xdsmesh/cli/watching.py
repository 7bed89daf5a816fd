"""How ``xdsmesh watch`` learns of changes, and what it does with them.

Facts: https://developer.hashicorp.com/consul/api-docs/features/blocking and .../consul/docs/automate/watch.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx
import msgspec
import typer

from xdsmesh.cli.client import Client, Query
from xdsmesh.cli.errors import CommandError
from xdsmesh.cli.output import show_json

_INDEX: Final = "X-Consul-Index"
_HASH: Final = "X-Consul-ContentHash"
_LONGEST: Final = httpx.Timeout(30, connect=5, read=11 * 60)
"""The server holds an answer back for 10 minutes and a 16th at most."""
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 30.0
_KEY: Final = "PrivateKeyPEM"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked again and again, and how a caller says what it has: by index, or by hash."""

    path: str
    by_hash: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer, and its index; empty if it has none."""

    value: Any
    index: str


def changes(client: Client, question: Question, query: Query) -> Iterator[Seen]:
    """What the server answers now, and whenever that changes.

    A server that goes away later is waited for, which is told on stderr.

    Raises:
        CommandError: the first time it can't be asked.
    """
    cursor, last, pause = "", None, _FIRST_PAUSE
    while True:
        try:
            response = client.send(
                "GET", question.path, query={**query, **_at(question, cursor)}, timeout=_LONGEST
            )
            value = _decoded(response)
        except CommandError as error:
            if last is None:
                raise
            typer.echo(f"{error}; asking again", err=True)
            time.sleep(pause)
            cursor, pause = "", min(pause * 2, _LONGEST_PAUSE)
            continue
        pause = _FIRST_PAUSE
        cursor = _next(question, cursor, response)
        if last is None or value != last.value:
            last = Seen(value, response.headers.get(_INDEX, ""))
            yield last


def print_seen(seen: Seen) -> None:
    """Print an answer as JSON, without the private key of a leaf."""
    value = seen.value
    if isinstance(value, dict) and _KEY in value:
        value = {**value, _KEY: "(not printed; a command behind the flags gets it)"}
    show_json(value)


def run_handler(words: Sequence[str], seen: Seen, *, shell: bool) -> None:
    """Run a command with an answer on its standard input and its index in ``CONSUL_INDEX``.

    What it exits with is told on stderr, if it is not 0.

    Raises:
        CommandError: it can't be run.
    """
    command = ["/bin/sh", "-c", " ".join(words)] if shell else list(words)
    body = json.dumps(seen.value, ensure_ascii=False) + "\n"
    try:
        # What to run is what the caller asked for on the command line.
        ended = subprocess.run(  # noqa: S603
            command, input=body.encode(), env={**os.environ, "CONSUL_INDEX": seen.index}, check=False
        )
    except (OSError, ValueError) as error:
        raise CommandError(f"cannot run {words[0]!r}: {error}") from error
    if ended.returncode:
        typer.echo(f"{words[0]} exited with {ended.returncode}", err=True)


def _at(question: Question, cursor: str) -> Query:
    return {"hash" if question.by_hash else "index": cursor} if cursor else {}


def _next(question: Question, cursor: str, response: httpx.Response) -> str:
    """The index or hash to ask with; empty, which is answered at once, when an index has fallen."""
    if question.by_hash:
        return str(response.headers.get(_HASH, ""))
    index: str = response.headers.get(_INDEX, "")
    fallen = cursor.isdigit() and index.isdigit() and int(index) < int(cursor)
    return "" if fallen else index


def _decoded(response: httpx.Response) -> Any:
    try:
        return msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"{response.url} answered what is no JSON: {error}") from error

"""Options that several commands take. A flag wins over the environment."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from xdsmesh.model.token import FILE_VARIABLE, VARIABLE

DEFAULT_HTTP_ADDR: Final = "http://127.0.0.1:8500"


class Format(StrEnum):
    """How a command shows what it found."""

    TABLE = "table"
    JSON = "json"


def _http_url(text: str) -> str:
    url = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or "://" in text)
    except ValueError:
        usable = False
    if not usable:
        raise typer.BadParameter(f"{text!r} is neither host:port nor a URL, such as {DEFAULT_HTTP_ADDR}")
    return url.rstrip("/")


def read_token(path: Path) -> str:
    """The token in a file."""
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise typer.BadParameter(f"cannot read the token in {path}: {reason}") from error


def _token(text: str) -> str:
    file = os.environ.get(FILE_VARIABLE)
    return text or (read_token(Path(file)) if file else "")


HttpAddr = Annotated[
    str,
    typer.Option(
        "--http-addr",
        metavar="ADDR",
        envvar="XDSMESH_HTTP_ADDR",
        callback=_http_url,
        help="The server's HTTP API: host:port or a URL.",
    ),
]
Token = Annotated[
    str,
    typer.Option(
        "--token",
        metavar="TOKEN",
        envvar=VARIABLE,
        callback=_token,
        show_default=False,
        help="The token to present to the server; XDSMESH_TOKEN_FILE may name a file that has it.",
    ),
]
CaCert = Annotated[
    Path | None,
    typer.Option(
        "--ca-cert",
        "--ca-file",
        metavar="FILE",
        envvar="XDSMESH_CACERT",
        help="The CA certificates (PEM) to trust when the address is https.",
    ),
]
OutputFormat = Annotated[Format, typer.Option("--format", help="How to show the result.")]
Wait = Annotated[
    bool,
    typer.Option("--wait", help="Return when all proxies that it affects have acknowledged it; else exit 1."),
]
WaitTimeout = Annotated[
    str | None, typer.Option(metavar="DURATION", help="With --wait: how long at most; default: 10s.")
]
Filter = Annotated[
    str, typer.Option("--filter", metavar="EXPRESSION", help="Only what passes it.", show_default=False)
]
NodeMeta = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Only on nodes with this in their Meta. Repeatable."),
]


def pairs(texts: list[str] | None, flag: str = "--meta", example: str = "version=2") -> dict[str, str] | None:
    """The pairs of an option that may be repeated; None: it is not given."""
    if not texts:
        return None
    given = dict(text.partition("=")[::2] for text in texts)
    if "" in given or not all("=" in text for text in texts):
        raise typer.BadParameter(f"{flag} takes KEY=VALUE, such as {example}")
    return given


def node_meta_query(texts: list[str] | None) -> dict[str, list[str]]:
    """What ``--node-meta`` asks for, in a query string."""
    given = pairs(texts, "--node-meta", "rack=2")
    return {"node-meta": [f"{key}:{value}" for key, value in given.items()]} if given else {}


def given(**query: str) -> dict[str, str]:
    """The parameters of a query string that have a value."""
    return {name.replace("_", "-"): value for name, value in query.items() if value}

"""Tokens: secrets by which somebody shows who it is. Of a secret only its hash is kept."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final

from xdsmesh.model.identity import Identity

HEADER: Final = "x-consul-token"
"""Where a token is shown: a header of a request, or the metadata of a stream."""

VARIABLE: Final = "XDSMESH_TOKEN"
"""Where a token is in the environment, of the command as of an Envoy."""

FILE_VARIABLE: Final = "XDSMESH_TOKEN_FILE"
"""Where the environment names a file that has the token; ``VARIABLE`` wins."""

_UNSET: Final = "-"
"""What Envoy puts where a variable of its environment should stand that is not set."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret. ``accessor`` is what it is called, a UUID; ``digest`` is ``digest_of``."""

    accessor: str
    identity: Identity
    digest: str = field(repr=False)
    description: str
    created_at: datetime


def digest_of(secret: str) -> str:
    """The SHA-256 of a secret, in hexadecimal: secrets have 256 random bits, so nobody guesses them."""
    return sha256(secret.encode(errors="backslashreplace")).hexdigest()


def shown_secret(text: str | bytes | None) -> str:
    """The secret that somebody shows; empty: none."""
    secret = text.decode(errors="backslashreplace") if isinstance(text, bytes) else text or ""
    return "" if secret.strip() == _UNSET else secret.strip()

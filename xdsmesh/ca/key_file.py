"""The encryption key: read from a file or the environment, or made beside the store on the first start.

As text it is the base64 of 32 bytes.
"""

import base64
import binascii
import os
from pathlib import Path
from typing import Final

import structlog

from xdsmesh.ca.sealing import KEY_BYTES, Sealer
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError

VARIABLE: Final = "XDSMESH_ENCRYPTION_KEY"
"""The variable of the environment that may hold the key."""

FILE_NAME: Final = "encryption.key"
"""The file in the data folder, when no other key is given."""

MAKE_ONE: Final = "head -c 32 /dev/urandom | base64"
"""The command that makes a key."""

_OTHERS: Final = 0o077
_MOST_BYTES: Final = 4096

log = structlog.get_logger(__name__)


def parse_key(text: str) -> bytes:
    """The key that a text holds.

    Raises:
        ValueError: it is not the base64 of 32 bytes; the text is not in the message.
    """
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"the encryption key is not the base64 of {KEY_BYTES} bytes")
    return key


def key_of_environment(text: str) -> Sealer:
    """Seal with the key that the environment has.

    Raises:
        RefusedError: it holds no key.
    """
    try:
        return Sealer(parse_key(text), VARIABLE)
    except ValueError as error:
        raise _refused(VARIABLE, str(error), f"for a new mesh make one: {MAKE_ONE}") from None


def read_key_file(path: Path) -> Sealer:
    """Seal with the key in a file.

    Raises:
        RefusedError: it can't be read, or holds no key.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = parse_key(file.read(_MOST_BYTES).decode(errors="replace"))
    except OSError as error:
        what = f"the encryption key can't be read: {error.strerror}"
        raise _refused(path, what, f"correct the path, or for a new mesh make a key: {MAKE_ONE}") from error
    except ValueError as error:
        raise _refused(
            path, str(error), f"restore the file, or for a new mesh make a key: {MAKE_ONE}"
        ) from None
    if mode & _OTHERS:
        log.warning("others can read the encryption key: chmod 600", file=str(path))
    return Sealer(key, str(path))


def own_key_file(folder: Path, *, has_sealed: bool) -> Sealer:
    """Seal with the key file of a data folder; on the first start make it. It is never overwritten.

    Args:
        folder: the data folder, which must be there.
        has_sealed: whether its store has anything that is sealed already.

    Raises:
        RefusedError: the store has sealed keys and the file is missing; or it can't be read or written.
    """
    path = folder / FILE_NAME
    if not path.exists():
        if has_sealed:
            what = "the store has keys that are sealed, and the encryption key is not here"
            remedy = f"put it back, or name it with --encryption-key-file or {VARIABLE}"
            raise _refused(path, what, remedy)
        _make(path)
        log.warning(
            "an encryption key was made, which opens the private keys in the store: "
            "keep a copy of it, apart from copies of the store",
            file=str(path),
        )
    return read_key_file(path)


def _make(path: Path) -> None:
    """Write a new key: whole and durable, or not at all."""
    draft = path.with_name(f"{path.name}.new")
    text = base64.b64encode(os.urandom(KEY_BYTES)) + b"\n"
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename it overwrites nothing
        draft.unlink()
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    except OSError as error:
        what = f"the encryption key can't be written: {error.strerror}"
        raise _refused(path, what, "give the server a data folder that it may write to") from error


def _refused(source: Path | str, what: str, remedy: str) -> RefusedError:
    return RefusedError(Problem(Place(source=str(source)), what, remedy, code=Code.SEALED))

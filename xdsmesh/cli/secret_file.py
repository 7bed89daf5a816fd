"""A file for a secret: nobody else may read it, and it is whole or not there."""

import os
from pathlib import Path
from tempfile import mkstemp
from types import TracebackType
from typing import Final, Self

from xdsmesh.cli.errors import CommandError


class SecretFile:
    """A place for a secret, made before the secret is, so that no secret is lost for want of one."""

    def __init__(self, path: Path) -> None:
        """Make room beside the file, which stays as it is for now.

        Raises:
            CommandError: nothing can be written there.
        """
        self._path: Final = path
        try:
            self._descriptor, draft = mkstemp(prefix=f".{path.name}.", dir=path.parent)
        except OSError as error:
            raise CommandError(f"cannot write {path}: {error.strerror}") from error
        self._draft: Final = Path(draft)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
        self._draft.unlink(missing_ok=True)

    def keep(self, secret: str) -> None:
        """Put the secret into the file, in place of what was there.

        No line's end: Envoys before 1.40 would take it for a part of a token, and send it.
        """
        os.write(self._descriptor, secret.encode())
        os.fsync(self._descriptor)
        self._draft.replace(self._path)

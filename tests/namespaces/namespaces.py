"""Network namespaces made with iproute2, as root, and threads that work inside them."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

P = ParamSpec("P")
T = TypeVar("T")

PREFIX: Final = "xdsmesh-test"
_OURS: Final = re.compile(rf"{PREFIX}-(\d+)-")
_NAMED: Final = Path("/var/run/netns")
"""Where iproute2 keeps a file for each namespace that has a name."""
_CLONE_NEWNET: Final = 0x40000000
_THREADS: Final = 32
_SECONDS: Final = 20
_SYSCTLS: Final = {
    "ipv4/ip_forward": "0",
    "ipv6/conf/all/disable_ipv6": "1",
    "ipv6/conf/default/disable_ipv6": "1",
}
"""A new namespace has these from the machine, which may be a router."""


def ip(*commands: str, namespace: str = "") -> None:
    """Run commands of ip(8) one after the other, inside a namespace if one is named.

    Raises:
        OSError: a command has failed; says which, and why.
    """
    _run("ip", commands, namespace)


def bridge(*commands: str, namespace: str) -> None:
    """Run commands of bridge(8), likewise."""
    _run("bridge", commands, namespace)


class Namespace:
    """A network namespace. Its loopback is up, it speaks IPv4 only and forwards nothing."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._threads = ThreadPoolExecutor(_THREADS, name, _enter, (name,))
        ip(f"netns add {name}")
        ip("link set lo up", namespace=name)
        self.submit(_set_sysctls).result(_SECONDS)

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do some work in a thread inside. A socket that is made there stays there, whoever uses it."""
        return self._threads.submit(work, *args, **kwargs)

    def close(self) -> None:
        """Return when the threads have left."""
        self._threads.shutdown(cancel_futures=True)


def names() -> list[str]:
    """All namespaces of the machine that have a name, whosever they are."""
    return sorted(path.name for path in _NAMED.iterdir()) if _NAMED.exists() else []


def delete(prefix: str) -> None:
    """Delete all namespaces whose names begin so."""
    for name in names():
        if name.startswith(prefix):
            ip(f"netns delete {name}")


def delete_leftovers() -> None:
    """Delete the namespaces of test runs that were killed: their names tell the process, and it is gone."""
    for name in names():
        ours = _OURS.match(name)
        if ours and not Path("/proc", ours[1]).exists():
            # Another run may have been quicker.
            with suppress(OSError):
                ip(f"netns delete {name}")


def why_not() -> str:
    """Why no namespaces can be made here; empty: they can."""
    if os.geteuid() != 0:
        return "only root may make them, and this is not root"
    if not shutil.which("ip"):
        return "there is no ip on PATH (install iproute2)"
    name = f"{PREFIX}-{os.getpid()}-trial"
    try:
        trial = Namespace(name)
        ip("link add name one type veth peer name other", "link add name lan type bridge", namespace=name)
        trial.close()
    except (OSError, BrokenExecutor) as error:
        return f"this machine does not permit that: {' '.join(str(error).split())}"
    finally:
        delete(name)
    return ""


def _run(tool: str, commands: Sequence[str], namespace: str) -> None:
    command = (tool, *(("-n", namespace) if namespace else ()), "-batch", "-")
    script = "\n".join(commands)
    ran = subprocess.run(command, input=script, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if ran.returncode:
        raise OSError(f"{' '.join(command)} has failed: {ran.stderr.strip()}\n{script}")


def _enter(name: str) -> None:
    """Move this thread, and no other, into a namespace: os.setns comes with Python 3.12 only."""
    libc = ctypes.CDLL(None, use_errno=True)
    with (_NAMED / name).open() as file:
        if libc.setns(file.fileno(), _CLONE_NEWNET):
            error = ctypes.get_errno()
            raise OSError(error, f"setns: {os.strerror(error)}")


def _set_sysctls() -> None:
    for name, value in _SYSCTLS.items():
        path = Path("/proc/sys/net", name)
        # There is no folder for IPv6 where the kernel is without it.
        if path.exists():
            path.write_text(value)

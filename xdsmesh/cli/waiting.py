"""``--wait``: a command that writes ends when the proxies that it affects have acknowledged what it wrote."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
import typer

from xdsmesh.cli.errors import REFUSED, CommandError
from xdsmesh.model.duration import Duration
from xdsmesh.status import Laggard, Waited

HEADER: Final = "X-Xdsmesh-Wait"
_PARAMETER: Final = "wait-for-proxies"
_DEFAULT: Final = "10s"


class Waiting:
    """How long to wait after each write, and what came of it."""

    def __init__(self, timeout: str) -> None:
        self._timeout = timeout
        self._came: list[Waited] = []

    @property
    def query(self) -> Mapping[str, str]:
        """What asks the server to wait."""
        return {_PARAMETER: self._timeout}

    @property
    def seconds(self) -> float:
        """How much longer than usual an answer may take."""
        return Duration.parse(self._timeout).seconds

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show on a terminal that it waits."""
        from rich.console import Console

        console = Console(stderr=True)
        if not console.is_terminal:
            yield
            return
        with console.status("Waiting for the proxies to acknowledge it ..."):
            yield

    def note(self, told: str | None) -> None:
        """Take in what the server told of a write.

        Raises:
            CommandError: it told nothing.
        """
        try:
            self._came.append(msgspec.json.decode(told or "", type=Waited))
        except msgspec.MsgspecError as error:
            raise CommandError(
                "it is written, but the server does not wait for proxies: leave out --wait,"
                " and ask `xdsmesh proxies`"
            ) from error

    def report(self) -> None:
        """Print what came of all writes together.

        Raises:
            Exit: a proxy has not acknowledged one of them; they are named on stderr.
        """
        lagging = {each.proxy: each for waited in self._came for each in waited.waiting}
        more = sum(each.more for each in self._came)
        if lagging or more:
            _name(lagging, more)
            raise typer.Exit(REFUSED)
        typer.echo(_success(self._came))


def waiting(*, wait: bool, wait_timeout: str | None) -> Waiting | None:
    """What ``--wait`` and ``--wait-timeout`` ask for; None: not to wait."""
    if not wait:
        if wait_timeout is not None:
            raise typer.BadParameter("--wait-timeout goes with --wait")
        return None
    timeout = wait_timeout or _DEFAULT
    try:
        usable = Duration.parse(timeout) >= Duration()
    except ValueError as error:
        raise typer.BadParameter(f"--wait-timeout: {error}") from error
    if not usable:
        raise typer.BadParameter(f"--wait-timeout: {timeout!r} is less than nothing")
    return Waiting(timeout)


def _success(came: Sequence[Waited]) -> str:
    proxies = sum(each.proxies for each in came)
    if not proxies:
        return "No connected proxy is affected."
    p50 = max(each.p50_ms or 0 for each in came)
    p99 = max(each.p99_ms or 0 for each in came)
    if len(came) > 1:
        who = f"{proxies} acknowledgements of {len(came)} writes"
    else:
        who = f"{'1 proxy has' if proxies == 1 else f'{proxies} proxies have'} acknowledged it"
    return f"{who}, in {p50:.0f} ms (p50) to {p99:.0f} ms (p99)."


def _name(lagging: Mapping[str, Laggard], more: int) -> None:
    for each in lagging.values():
        typer.echo(f"{each.proxy} has not acknowledged it: {each.why}", err=True)
    if more:
        typer.echo(f"{more} more proxies have not acknowledged it (`xdsmesh proxies` shows them)", err=True)

"""A probe says nothing about its target if there was no way to it, or if this process stood still.

The kernel is asked for the way, not the error of the probe: routers say ENETUNREACH too, EHOSTUNREACH comes
of a dead target as of a pulled cable, and silence has no error at all.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, Final

import httpx

from xdsmesh.model.checks import CheckStatus, CheckType, Health, Probe
from xdsmesh.probes.routes import Address
from xdsmesh.probes.target import host_port

_LOOK_SECONDS: Final = 0.25
_SETTLE_SECONDS: Final = 2.0
"""Linux asks three times by ARP, a second apart: who was asked for during a cut may be given up after it."""

_LOOK_UP_SECONDS: Final = 1.0


class NotProbedError(Exception):
    """A probe says nothing about its target."""


class NoWayError(NotProbedError):
    """This machine has no way to it, or had none a moment ago; the text says why."""


class StoodStillError(NotProbedError):
    """It failed, and most of the time this process did not run: there may have been an answer in time."""


class Way:
    """The way from this machine to the target of one check."""

    def __init__(
        self, kind: CheckType, probe: Probe, clock: Callable[[], float], obstacle: Callable[[Address], str]
    ) -> None:
        """Take what tells the time in seconds, and why there is no way to an address."""
        self.host = _host(kind, probe)
        self.known = False  # there has been one
        self._clock = clock
        self._obstacle = obstacle
        self._addresses: tuple[Address, ...] = ()
        self._named = False
        self._why = ""
        self._lost = float("-inf")
        try:
            self._addresses = (ip_address(self.host),)
        except ValueError:
            self._named = bool(self.host)

    async def result(self, probe: Callable[[], Coroutine[Any, Any, CheckStatus]]) -> CheckStatus:
        """The result of a probe of the target, which is given up as soon as there is no way.

        Raises:
            NotProbedError: the probe could not be made, or does not count.
            Exception: whatever ``probe`` raises.
        """
        if self._named:
            await self._look_up()
        self._look()
        start, stood_still = self._clock(), 0.0
        task = asyncio.create_task(probe(), name=f"probe of {self.host}")
        try:
            while not task.done():
                before = self._clock()
                await asyncio.wait({task}, timeout=_LOOK_SECONDS)
                stood_still += max(0, self._clock() - before - _LOOK_SECONDS)
                self._look()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        result = task.result()
        if result.status is Health.CRITICAL:
            if stood_still > (self._clock() - start) / 2:
                raise StoodStillError
            if start - self._lost < _SETTLE_SECONDS:
                raise NoWayError(self._why)
        return result

    async def _look_up(self) -> None:
        """Find the addresses of a name; while it can't be looked up, it has those of the last time."""
        with suppress(OSError, UnicodeError, TimeoutError):
            async with asyncio.timeout(_LOOK_UP_SECONDS):
                found = await asyncio.get_running_loop().getaddrinfo(self.host, None, type=socket.SOCK_STREAM)
            self._addresses = tuple(ip_address(address[0]) for *_, address in found)

    def _look(self) -> None:
        obstacles = [self._obstacle(address) for address in self._addresses]
        if not obstacles or not all(obstacles):
            self.known |= bool(obstacles)
            return
        self._lost = self._clock()
        self._why = f"this machine has no way to {self.host} ({obstacles[0]})"
        raise NoWayError(self._why)


def _host(kind: CheckType, probe: Probe) -> str:
    """Whom a probe asks first, before any redirect; empty: its target is none, or not probed."""
    with suppress(ValueError, httpx.InvalidURL):
        if kind is CheckType.HTTP:
            return httpx.URL(probe.target).host
        return host_port(probe.target.partition("/")[0])[0]
    return ""

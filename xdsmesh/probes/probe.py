"""One probe of a check, whatever its kind: it has a result, unless this machine can't even ask."""

import asyncio
import errno
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from xdsmesh.model.checks import CheckStatus, CheckType, Health, Probe
from xdsmesh.model.duration import Duration
from xdsmesh.probes.grpc import probe_grpc
from xdsmesh.probes.h2ping import probe_h2ping
from xdsmesh.probes.http import probe_http
from xdsmesh.probes.reason import cause, reason
from xdsmesh.probes.tcp import probe_tcp
from xdsmesh.probes.udp import probe_udp

_TIMEOUT: Final = Duration.of(seconds=10)
_MAX_TARGET: Final = 500
_MAX_OUTPUT: Final = 8192
"""Characters. A server chooses how long its status line is, and what our libraries complain about."""
_USER_INFO: Final = re.compile(r"//[^/?#]*@")


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a kind of probe is made, how its output begins, and what it means that no answer comes."""

    label: str
    ask: Callable[[Probe], Awaitable[CheckStatus]]
    silence: Health = Health.CRITICAL


_KINDS: Final[Mapping[CheckType, _Kind]] = {
    CheckType.HTTP: _Kind("HTTP {method} {target}", probe_http),
    CheckType.TCP: _Kind("TCP connect {target}", probe_tcp),
    CheckType.UDP: _Kind("UDP {target}", probe_udp, silence=Health.PASSING),
    CheckType.GRPC: _Kind("gRPC check {target}", probe_grpc),
    CheckType.H2PING: _Kind("H2PING {target}", probe_h2ping),
}

PROBED: Final = frozenset(_KINDS)
"""The kinds of checks that are probed."""

_OURS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""What says nothing about who is asked: this process or machine has run out of something, such as ports."""


class CannotAskError(Exception):
    """This server has too little of something to make a probe; the text says of what."""


async def ask(kind: CheckType, probe: Probe) -> CheckStatus:
    """Probe once, within the probe's timeout. What goes wrong is critical, and the output says why.

    Raises:
        CannotAskError: what went wrong is no fault of who is asked.
    """
    how = _KINDS[kind]
    result = await _ask(how, probe)
    target = _USER_INFO.sub("//", probe.target)  # there may be a password in it
    shown = target if len(target) <= _MAX_TARGET else f"{target[:_MAX_TARGET]}..."
    label = how.label.format(method=probe.method or "GET", target=shown)
    return CheckStatus(result.status, f"{label}: {result.output}"[:_MAX_OUTPUT])


async def _ask(how: _Kind, probe: Probe) -> CheckStatus:
    timeout = probe.timeout or _TIMEOUT
    try:
        async with asyncio.timeout(timeout.seconds) as limit:
            return await how.ask(probe)
    except Exception as error:  # whatever a server makes of our libraries, it is no good
        if limit.expired():
            return CheckStatus(how.silence, f"no answer within {timeout}")
        if getattr(cause(error), "errno", None) in _OURS:
            raise CannotAskError(reason(error)) from error
        return CheckStatus(Health.CRITICAL, reason(error))

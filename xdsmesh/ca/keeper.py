"""Keeps a valid leaf for every proxy that someone holds, and publishes it as a fact."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from xdsmesh.ca.issuer import Issuer
from xdsmesh.model.facts import Fact
from xdsmesh.model.trust import Leaf

RENEWAL_WINDOW: Final = (0.6, 0.9)
"""The part of a leaf's life in which it is renewed, at a moment drawn for each leaf."""

_RETRY_FIRST: Final = timedelta(seconds=1)
_RETRY_LONGEST: Final = timedelta(minutes=1)
_LONGEST_SLEEP: Final = timedelta(minutes=1)
"""The clock is looked at so often, since it may be set, and stands still while a machine is suspended."""

_NEVER: Final = datetime.max.replace(tzinfo=UTC)

_CHANGE_LONGEST: Final = timedelta(seconds=30)
_CHANGE_EACH: Final = timedelta(milliseconds=5)
_CHANGE_STEPS: Final = 100
"""Moments at which leaves are made anew for another intermediate: at each, all proxies are looked at."""

_log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class _Held:
    """A proxy that streams hold. ``due`` is when its next leaf is to be made."""

    proxy_id: str
    spiffe_id: str
    holders: int = 1
    due: datetime = _NEVER
    failures: int = 0
    leaf: Leaf | None = None


def change_window(count: int) -> timedelta:
    """Within how long so many leaves are made anew for another intermediate: half a minute at most."""
    return min(_CHANGE_LONGEST, _CHANGE_EACH * count)


class LeafKeeper:
    """Issues a leaf when a proxy is first held, and renews it for as long as it is held.

    Used from one event loop. ``hold`` and ``release`` only take note; ``run`` does the work.
    """

    def __init__(
        self,
        issuer: Issuer,
        publish: Callable[[Fact], None],
        clock: Callable[[], datetime],
        pick: Callable[[float, float], float],
    ) -> None:
        """Make a keeper that holds nothing yet.

        Args:
            issuer: makes the leaves.
            publish: takes ``Fact(("leaf", proxy_id), Leaf)``, and one with None when that leaf is over: after
                the last release, or when the proxy has become another service.
            clock: tells the time, with its time zone.
            pick: draws a number between two, such as ``random.uniform``.
        """
        self._issuer = issuer
        self._publish = publish
        self._clock = clock
        self._pick = pick
        self._held: dict[str, _Held] = {}
        self._wanted: dict[str, None] = {}  # to be issued at once
        self._next = _NEVER  # no leaf is due before
        self._changed = asyncio.Event()

    def hold(self, proxy_id: str, spiffe_id: str) -> None:
        """Keep a leaf for a proxy until it is released as often as it was held; the latest id counts."""
        held = self._held.get(proxy_id)
        if held is None:
            held = self._held[proxy_id] = _Held(proxy_id, spiffe_id)
        else:
            held.holders += 1
            if held.spiffe_id == spiffe_id:
                return
            held.spiffe_id, held.leaf = spiffe_id, None
            self._publish(Fact(("leaf", proxy_id), None))  # nobody is to show the old identity any more
        self._wanted[proxy_id] = None
        self._changed.set()

    def release(self, proxy_id: str) -> None:
        """Take back one ``hold``.

        Raises:
            KeyError: nobody holds the proxy.
        """
        held = self._held[proxy_id]
        held.holders -= 1
        if not held.holders:
            del self._held[proxy_id]
            self._publish(Fact(("leaf", proxy_id), None))

    def leaf(self, proxy_id: str) -> Leaf | None:
        """The leaf of a held proxy; None while it has none that is of the intermediate which signs now."""
        held = self._held.get(proxy_id)
        return held.leaf if held and self._is_current(held) else None

    def renew_soon(self) -> None:
        """Make every leaf anew soon that is not of the intermediate which signs now.

        Proxies with an identity of another trust domain, which was left just now, come anew by themselves.
        """
        ours = f"spiffe://{self._issuer.authority.trust_domain}/"
        held_here = (held for held in self._held.values() if held.spiffe_id.startswith(ours))
        stale = [held for held in held_here if held.leaf and not self._is_current(held)]
        now, step = self._clock(), change_window(len(stale)) / _CHANGE_STEPS
        for held in stale:
            self._schedule(held, min(held.due, now + step * round(self._pick(0, _CHANGE_STEPS))))
        self._changed.set()

    def _is_current(self, held: _Held) -> bool:
        return held.leaf is not None and self._issuer.authority.intermediate.stands_in(held.leaf)

    async def run(self) -> None:
        """Issue and renew until cancelled."""
        while True:
            self._want_what_is_due()
            wanted, self._wanted = self._wanted, {}
            for proxy_id in wanted:
                if held := self._held.get(proxy_id):
                    await self._issue(held)
                await asyncio.sleep(0)  # others have their turn: routing comes before proofs
            await self._rest()

    def _want_what_is_due(self) -> None:
        now = self._clock()
        if now < self._next:
            return
        for proxy_id, held in self._held.items():
            if held.due <= now:
                held.due = _NEVER
                self._wanted[proxy_id] = None
        self._next = min((held.due for held in self._held.values()), default=_NEVER)

    async def _rest(self) -> None:
        span = min(self._next - self._clock(), _LONGEST_SLEEP)
        with suppress(TimeoutError):
            async with asyncio.timeout(span.total_seconds()):
                await self._changed.wait()
        self._changed.clear()

    async def _issue(self, held: _Held) -> None:
        spiffe_id = held.spiffe_id
        try:
            leaf = await self._issuer.leaf(spiffe_id)
        except ValueError as error:
            self._retry(held, error)
            return
        if self._held.get(held.proxy_id) is not held or held.spiffe_id != spiffe_id:
            return  # it was released, or has become another service, while the key was made
        now = self._clock()
        held.failures, held.leaf = 0, leaf
        self._schedule(held, now + (leaf.not_after - now) * self._pick(*RENEWAL_WINDOW))
        self._publish(Fact(("leaf", held.proxy_id), leaf))

    def _retry(self, held: _Held, error: ValueError) -> None:
        delay = min(_RETRY_FIRST * 2 ** min(held.failures, 10), _RETRY_LONGEST) * self._pick(0.5, 1)
        held.failures += 1
        # The text alone, for a traceback may be shown with local variables, and so with keys.
        _log.warning(
            "no leaf could be issued; trying again",
            proxy=held.proxy_id,
            spiffe_id=held.spiffe_id,
            error=str(error),
            seconds=round(delay.total_seconds(), 1),
        )
        self._schedule(held, self._clock() + delay)

    def _schedule(self, held: _Held, due: datetime) -> None:
        held.due = due
        self._next = min(self._next, due)

"""A secondary datacenter tells the primary how far its proxies follow the trust of the mesh."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from xdsmesh.ca.authority import Authority
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.keeper import LeafKeeper
from xdsmesh.catalog.codec import encode_federated
from xdsmesh.ir.names import LEAF, ROOTS
from xdsmesh.model.federation import TrustReport
from xdsmesh.rotation.acknowledgements import Acknowledgements
from xdsmesh.rotation.secrets import wanted_secret

_MAX_NAMED: Final = 10
_TELL_SECONDS: Final = 2.0
"""How often it is told who is waited for."""


class TrustReporting:
    """Finds out what the connected proxies have acknowledged, again for each change of the authority.

    ``run`` must run; in a primary it does nothing.
    """

    def __init__(self, issuer: Issuer, keeper: LeafKeeper, acknowledgements: Acknowledgements) -> None:
        """Know nothing yet; the acknowledgements are for this alone."""
        self.acknowledgements: Final = acknowledgements
        self._issuer: Final = issuer
        self._keeper: Final = keeper
        self._report = TrustReport()
        self._listeners: Final[list[Callable[[], object]]] = []
        self._changed: Final = asyncio.Event()
        issuer.listen(self._look_again)

    def listen(self, listener: Callable[[], object]) -> None:
        """Call this whenever there is something new to report."""
        self._listeners.append(listener)

    @property
    def report(self) -> bytes:
        """How far the proxies are, as JSON; empty in a primary."""
        if not self._issuer.configuration.primary:
            return b""
        waiting = (f"{each.proxy}: {each.why}" for each in self.acknowledgements.waiting()[:_MAX_NAMED])
        return encode_federated(replace(self._report, waiting=tuple(waiting)))

    async def run(self) -> None:
        """Find out until cancelled."""
        await self.acknowledgements.open()
        while True:
            self._changed.clear()
            if self._issuer.configuration.primary:
                await self._find_out(self._issuer.authority)
            await self._changed.wait()

    async def _find_out(self, authority: Authority) -> None:
        trusted = tuple(sorted(root.id for root in authority.roots))
        if await self._all_hold(ROOTS, authority):
            self._report = replace(self._report, trusted=trusted)
            self._tell()
        if await self._all_hold(LEAF, authority):
            self._report = replace(self._report, issuing=authority.active.id)
            self._tell()

    async def _all_hold(self, name: str, authority: Authority) -> bool:
        """Whether all came to hold a secret, or the authority has changed before that."""

        def is_current() -> bool:
            return self._issuer.authority is authority

        wanted = wanted_secret(name, self._issuer, self._keeper)
        waiting = asyncio.ensure_future(self.acknowledgements.until_all(name, wanted, is_current))
        try:
            while not waiting.done():
                await asyncio.wait({waiting}, timeout=_TELL_SECONDS)
                self._tell()
            waiting.result()
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        return is_current()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _look_again(self) -> None:
        self._changed.set()
        self.acknowledgements.look_again()

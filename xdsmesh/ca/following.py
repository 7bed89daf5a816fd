"""A secondary datacenter follows the primary: it trusts what that trusts, and signs below its root."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from xdsmesh.ca.authority import Root
from xdsmesh.ca.common_trust import taken, until_certified
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.renewal import new_intermediate
from xdsmesh.ca.stored import trust_problem
from xdsmesh.model.errors import RefusedError
from xdsmesh.model.facts import Batch
from xdsmesh.model.federation import Trust
from xdsmesh.store.base import CommitFailedError

_RETRY_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


class TrustFollower:
    """Keeps the authority of a secondary as the primary says. ``run`` must run; elsewhere it does nothing.

    Roots that are next are trusted at once. When another one is active, an intermediate of it comes first,
    and with it the roots stand as they do in the primary.
    """

    def __init__(self, issuer: Issuer, trust: Callable[[], Trust | None]) -> None:
        """Follow nothing yet; ``trust`` gives what the primary told last, None in the primary itself."""
        self._issuer: Final = issuer
        self._trust: Final = trust
        self._news: Final = asyncio.Event()

    def take(self, batch: Batch) -> None:
        """Look again when the primary has told something."""
        if any(fact.key in (("trust",), ("membership",)) for fact in batch.facts):
            self._news.set()

    def look_again(self) -> None:
        """Try again now what could not be done."""
        self._news.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        told = ""
        patience: float | None = None
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._news.wait()
            self._news.clear()
            patience = None
            try:
                await self._follow()
                told = ""
            except (RefusedError, CommitFailedError) as error:
                if told != (told := str(error)):
                    log.warning("the primary's trust can't be followed yet; trying again", error=told)
                patience = _RETRY_SECONDS

    async def _follow(self) -> None:
        issuer = self._issuer
        async with issuer.changing:
            trust, configuration = self._trust(), issuer.configuration
            if trust is None or not configuration.primary:
                return
            wanted = _roots(trust, issuer.authority.trust_domain)
            own, active = issuer.authority.active, wanted[0]
            if active.id != own.id:
                trusted = until_certified(wanted, own)
                if trusted != issuer.authority.roots:
                    await issuer.replace(trusted, issuer.authority.intermediate)
                lifetime = configuration.intermediate_lifetime
                made = await new_intermediate(issuer.provider, active, trust.trust_domain, lifetime)
                await issuer.replace(wanted, made)
                log.info("the intermediate is of another root of the primary now", root=active.id)
            elif wanted != issuer.authority.roots:
                await issuer.replace(wanted, issuer.authority.intermediate)
                log.info("the roots of the primary were taken over", roots=[each.id for each in wanted])


def _roots(trust: Trust, trust_domain: str) -> tuple[Root, ...]:
    if trust.trust_domain != trust_domain:
        what = f"the primary tells of the trust domain {trust.trust_domain}, and ours is {trust_domain}"
        raise trust_problem(what, "see whether its data folder was replaced, and restore it")
    try:
        return taken(trust)
    except ValueError as error:
        what = f"what the primary tells of its roots can't be used: {error}"
        raise trust_problem(what, "see that both datacenters run the same release of xdsmesh") from error

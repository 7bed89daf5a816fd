"""What lets a server join others and be joined, and follow one trust with them: made and wired once."""

from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from xdsmesh.ca.following import TrustFollower
from xdsmesh.ca.issuer import Issuer
from xdsmesh.catalog.feed import Feed
from xdsmesh.federation.candidate import Candidate
from xdsmesh.federation.certifying import ask_over
from xdsmesh.federation.joining import Joiner
from xdsmesh.federation.links import Links
from xdsmesh.federation.roster import Roster
from xdsmesh.federation.routes import gateways
from xdsmesh.federation.server import FederationServer
from xdsmesh.federation.shared_trust import SharedTrust
from xdsmesh.federation.status import LinkState
from xdsmesh.federation.summaries import remote_gateways
from xdsmesh.federation.tokens import JoinTokens
from xdsmesh.rotation.datacenters import Datacenters
from xdsmesh.rotation.reporting import TrustReporting
from xdsmesh.store.base import Store


@dataclass(frozen=True, slots=True)
class JoiningParts:
    """The parts by name. ``work`` must run while they are used."""

    roster: Roster
    joiner: Joiner
    follower: TrustFollower
    shared: SharedTrust
    reporting: TrustReporting

    @classmethod
    def make(
        cls, store: Store, feed: Feed, issuer: Issuer, candidate: Candidate, reporting: TrustReporting
    ) -> Self:
        """Make them; ``connect`` connects them with what they talk over."""
        clock, remote = issuer.clock, feed.view.remote
        tokens = JoinTokens(
            store, issuer, candidate.datacenter, lambda: remote_gateways(gateways(feed.view)), clock
        )
        follower = TrustFollower(issuer, lambda: remote.trust)
        feed.listen(follower.take)
        return cls(
            roster=Roster(store, issuer, tokens, candidate.datacenter, clock),
            joiner=Joiner(store, feed, issuer, candidate, clock),
            follower=follower,
            shared=SharedTrust(store, issuer),
            reporting=reporting,
        )

    def connect(
        self, issuer: Issuer, links: Links, federation: FederationServer, datacenters: Datacenters
    ) -> None:
        """Connect them with the links, the server for others, and who waits for other datacenters."""

        def trust_report(datacenter: str) -> bytes:
            return self.reporting.report if datacenter == issuer.configuration.primary else b""

        issuer.ask_primary = ask_over(links, lambda: issuer.configuration.primary)
        self.joiner.link_error = lambda datacenter: _error(links, datacenter)
        self.joiner.is_served = lambda: federation.is_wanted
        self.roster.tokens.is_served = lambda: federation.is_served
        links.trust_report = trust_report
        links.came_up = lambda datacenter: self._came_up(issuer, datacenter)
        self.reporting.listen(links.report)
        federation.joining = self.roster
        federation.followed.trust_reported = datacenters.take_report
        datacenters.unheard_since = lambda datacenter: _unheard_since(links, datacenter)

    def _came_up(self, issuer: Issuer, datacenter: str) -> None:
        """What waited for the primary is done now."""
        if datacenter == issuer.configuration.primary:
            issuer.look_again()
            self.follower.look_again()

    def work(self) -> dict[str, Coroutine[None, None, None]]:
        """What must run, by name."""
        return {
            "trust of the primary": self.follower.run(),
            "trust for others": self.shared.run(),
            "report of trust": self.reporting.run(),
        }


def _error(links: Links, datacenter: str) -> str:
    return next((each.error for each in links.status() if each.datacenter == datacenter), "")


def _unheard_since(links: Links, datacenter: str) -> datetime | None:
    """When a datacenter was heard last to which the link is not up."""
    for each in links.status():
        if each.datacenter == datacenter and each.state is not LinkState.UP:
            return each.heard_at or each.since
    return None

"""What a server is made of, but for its listeners: made and wired once, for it and for its tests."""

import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Self

from litestar import Litestar

from xdsmesh import __version__
from xdsmesh.api.about import About
from xdsmesh.api.app import Parts, make_app
from xdsmesh.api.proxies import Proxies
from xdsmesh.api.queries import Queries
from xdsmesh.api.wait_for_proxies import WaitForProxies
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.keeper import LeafKeeper
from xdsmesh.ca.leaves import Leaves
from xdsmesh.catalog.agent_checks import report
from xdsmesh.catalog.feed import Feed
from xdsmesh.catalog.registrations import Registrations
from xdsmesh.catalog.repository import Repository
from xdsmesh.federation.asking import Answering
from xdsmesh.federation.candidate import Candidate
from xdsmesh.federation.links import Links
from xdsmesh.federation.overview import Overview
from xdsmesh.federation.server import FederationServer
from xdsmesh.federation.sharing import Sharing
from xdsmesh.index.tables import DEFAULT_POLICY
from xdsmesh.index.views import Index
from xdsmesh.joining import JoiningParts
from xdsmesh.loop import Loop
from xdsmesh.model.catalog import Node
from xdsmesh.model.facts import Fact
from xdsmesh.model.federation import RemoteServer
from xdsmesh.probes.prober import Prober
from xdsmesh.probes.reaper import Reaper
from xdsmesh.rotation.acknowledgements import Acknowledgements
from xdsmesh.rotation.datacenters import Datacenters
from xdsmesh.rotation.reporting import TrustReporting
from xdsmesh.rotation.rotations import Rotations
from xdsmesh.settings import IntentionPolicy
from xdsmesh.status import Registry
from xdsmesh.store.base import Store
from xdsmesh.tokens.admission import Admissions
from xdsmesh.tokens.known import Tokens

Pick = Callable[[float, float], float]
"""Draws a number between two."""


@dataclass(frozen=True, slots=True)
class ServerParts:
    """The parts by name. ``work`` must run while they are used; ``close`` answers everybody who waits."""

    feed: Feed
    index: Index
    loop: Loop
    keeper: LeafKeeper
    leaves: Leaves
    rotations: Rotations
    registry: Registry
    repository: Repository
    registrations: Registrations
    prober: Prober
    reaper: Reaper
    queries: Queries
    waits: WaitForProxies
    tokens: Tokens
    admissions: Admissions
    sharing: Sharing
    links: Links
    federation: FederationServer
    joining: JoiningParts
    overview: Overview

    @classmethod
    def make(  # noqa: PLR0913 - what differs between servers, and in their tests
        cls,
        store: Store,
        node: Node,
        issuer: Issuer,
        clock: Callable[[], datetime],
        pick: Pick,
        *,
        policy: IntentionPolicy,
        trust_domain: str | None = None,
    ) -> Self:
        """Make them over a store that has its root.

        ``pick`` draws when leaves are renewed; ``policy`` is for calls that no intention decides;
        ``trust_domain`` is the one that was asked for, if any was.
        """
        feed, index, registry = Feed(store), Index(), Registry()
        tokens = Tokens(feed)
        loop = Loop(index)
        loop.tell(Fact(("roots",), issuer.bundle))
        loop.tell(Fact(DEFAULT_POLICY, policy))
        keeper = LeafKeeper(issuer, loop.tell, clock, pick)
        loop.keep_leaves(keeper)
        repository, registrations = Repository(store, node), Registrations(store, node, feed)
        prober = Prober(node.name, partial(report, registrations), time.monotonic, random.uniform)
        reaper = Reaper(node.name, registrations.reap, time.monotonic)
        about_us = RemoteServer(node.name, node.address, __version__, policy)
        sharing = Sharing(store, feed, node.datacenter, about_us)
        links = Links(repository, feed, lambda: issuer.bundle, clock, random.uniform)
        links.own_gateways = lambda: sharing.gateways
        sharing.listen(links.report)
        federation = FederationServer(store, feed, node.datacenter, lambda: issuer.bundle.trust_domain)
        federation.followed.came = links.try_again
        leaves, queries = Leaves(issuer, store, node.datacenter, clock, pick), Queries(feed)
        acknowledgements = Acknowledgements(registry, index.proxies, partial(loop.wait_revision, 0))
        others = feed.view.remote.members
        datacenters = Datacenters(lambda: [each.value for each in others.values()], clock)
        rotations = Rotations(store, issuer, keeper, acknowledgements, datacenters)
        reported = Acknowledgements(registry, index.proxies, partial(loop.wait_revision, 0))
        takers = (loop.take, prober.take, reaper.take, sharing.take, links.take, datacenters.take)
        for listener in takers:
            feed.listen(listener)
        candidate = Candidate(node.datacenter, trust_domain)
        reporting = TrustReporting(issuer, keeper, reported)
        joining = JoiningParts.make(store, feed, issuer, candidate, reporting)
        joining.connect(issuer, links, federation, datacenters)
        issuer.start_rotation = rotations.start
        issuer.listen(lambda: loop.tell(Fact(("roots",), issuer.bundle)))
        issuer.listen(keeper.renew_soon)
        issuer.listen(leaves.renew_soon)
        issuer.listen(queries.look_again)
        issuer.listen(links.connect_anew)
        rotations.listen(queries.look_again)
        return cls(
            feed=feed,
            index=index,
            loop=loop,
            keeper=keeper,
            leaves=leaves,
            rotations=rotations,
            registry=registry,
            repository=repository,
            registrations=registrations,
            prober=prober,
            reaper=reaper,
            queries=queries,
            tokens=tokens,
            admissions=Admissions(tokens),
            sharing=sharing,
            links=links,
            federation=federation,
            joining=joining,
            overview=Overview(about_us, node.datacenter, feed, links, lambda: issuer.bundle, clock),
            waits=WaitForProxies(loop, registry, feed, Proxies(registry, index, repository)),
        )

    def work(self) -> dict[str, Coroutine[None, None, None]]:
        """What must run, by name."""
        return {
            "feed": self.feed.run(),
            "loop": self.loop.run(),
            "certificate authority": self.leaves.issuer.run(),
            "leaf keeper": self.keeper.run(),
            "rotations": self.rotations.run(),
            "prober": self.prober.run(),
            "reaper": self.reaper.run(),
            "queries": self.queries.run(),
            "sharing": self.sharing.run(),
            "links": self.links.run(),
            **self.joining.work(),
        }

    def app(self, about: About) -> Litestar:
        """The HTTP API over them, which from now on also answers other datacenters."""
        app = make_app(
            Parts(
                about=about,
                repository=self.repository,
                registrations=self.registrations,
                queries=self.queries,
                probing=self.prober,
                registry=self.registry,
                index=self.index,
                leaves=self.leaves,
                rotations=self.rotations,
                roster=self.joining.roster,
                joiner=self.joining.joiner,
                tokens=self.tokens,
                links=self.links,
                overview=self.overview,
                around=(self.waits,),
            )
        )
        self.federation.answering = Answering(self.repository.store, app)
        return app

    def close(self) -> None:
        """Let nobody wait any more."""
        self.queries.close()
        self.waits.close()

"""One ADS stream as a state object: requests and views in, responses out. No I/O, and no clock.

Whoever owns the stream calls ``receive`` for each request, and ``respond`` when ``pending`` is set, when
the view has changed, and when ``deadline`` has passed. It may call ``respond`` late, when a slow client has
taken what was sent before: only the latest view counts, and what came in between is never sent.
"""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final, Generic

from xdsmesh.model.resource import CLUSTER, ENDPOINT, ProxyView, Resources
from xdsmesh.status.types import State
from xdsmesh.xds.messages import Acked, Close, Code, Rejected, Response, Unchanged
from xdsmesh.xds.order import (
    ACK_SECONDS,
    GATE_SECONDS,
    GATED,
    RANK,
    RECONNECT_SECONDS,
    REMOVED_AFTER,
)
from xdsmesh.xds.standing import states
from xdsmesh.xds.subscription import NO_NAMES, RequestT, Subscription, Work

MAX_TYPES: Final = 32
MAX_NAMES: Final = 100_000


class Session(Generic[RequestT]):
    """The state of one stream. Times are seconds of any steady clock."""

    __slots__ = (
        "_deadline",
        "_gate_deadline",
        "_gate_held",
        "_make",
        "_nonce",
        "_opened",
        "_ordered",
        "_pending",
        "_subscriptions",
        "_unserved",
        "_view",
        "_warming_nonce",
    )

    def __init__(self, make: Callable[[str], Subscription[RequestT]], now: float) -> None:
        self._make: Final = make
        self._subscriptions: dict[str, Subscription[RequestT]] = {}
        self._ordered: tuple[Subscription[RequestT], ...] = ()
        self._nonce = 0
        self._opened: Final = now
        self._view: ProxyView | None = None
        self._pending = False
        self._deadline: float | None = None
        self._gate_deadline: float | None = None
        self._gate_held = False
        self._unserved = NO_NAMES
        """Load assignments that must follow, since their cluster was sent (X57)."""
        self._warming_nonce = ""
        """The last response that carried such assignments."""

    @property
    def pending(self) -> bool:
        """There may be something to send that no new view brought."""
        return self._pending

    @property
    def deadline(self) -> float | None:
        """When to call ``respond`` at the latest, since something waits for an answer that may not come."""
        return self._deadline

    def acknowledged(self, view: ProxyView | None) -> bool:
        """The client holds all of this view that it wants, by its own word."""
        if view is not self._view or self._pending:
            return False
        for subscription in self._ordered:  # a loop, since this runs with every ACK
            if subscription.outstanding is not None or subscription.rejected:
                return False
        return True

    def settled(self, view: ProxyView | None) -> bool:
        """Nothing of this view is left to send, and no answer is to come."""
        if view is not self._view or self._pending:
            return False
        return all(subscription.outstanding is None for subscription in self._ordered)

    def states(self, type_url: str, resources: Resources) -> Mapping[str, State]:
        """How the client stands with each of these resources."""
        subscription = self._subscriptions.get(type_url)
        if subscription is None:
            return dict.fromkeys(resources, State.NOT_SENT)
        return states(subscription, resources)

    def wants(self, type_url: str, name: str) -> bool:
        """Whether the client has asked for a resource."""
        subscription = self._subscriptions.get(type_url)
        return subscription is not None and subscription.covers(name)

    def receive(self, request: RequestT) -> Acked | Rejected | Close | None:
        """Take in a request; what it says about a response, or why the stream must end.

        A request is answer and subscription at once, and neither depends on the other (X19, X47).
        """
        subscription = self._subscriptions.get(request.type_url) or self._open(request.type_url)
        if isinstance(subscription, Close):
            return subscription
        answer = subscription.answered(request)
        news = subscription.update(request)
        if len(subscription.named) > MAX_NAMES:
            return Close(
                Code.RESOURCE_EXHAUSTED, f"a stream may name {MAX_NAMES} resources of a type, not more"
            )
        if request.type_url == ENDPOINT and self._unserved:
            news = subscription.owe(self._unserved) or news
        if news:
            self._pending = True
        return answer

    def respond(self, view: ProxyView, now: float) -> list[Response | Unchanged]:
        """All that may be sent now, in order. It counts as sent."""
        actions: list[Response | Unchanged] = []
        if view is self._view and not self._pending:
            return actions
        self._view = view
        cold = self._cold()
        actions += self._round(view, now)
        if cold and self._pending and not self._cold():  # what clusters waited for exists no more
            actions += self._round(view, now)
        if not self._gate_held:
            self._gate_deadline = None
        return actions

    def _round(self, view: ProxyView, now: float) -> Iterator[Response | Unchanged]:
        """What may be sent of each type."""
        self._pending = False
        self._deadline = None
        self._gate_held = False
        for subscription in self._ordered:
            resources = view.of(subscription.type_url)
            if subscription.seen is not resources:
                action = self._advance(subscription, resources, view, now)
                if action is not None:
                    yield action

    def _open(self, type_url: str) -> Subscription[RequestT] | Close:
        if not type_url:
            return Close(Code.INVALID_ARGUMENT, "a request on an aggregated stream must have a type_url")
        if len(self._subscriptions) >= MAX_TYPES:
            return Close(Code.RESOURCE_EXHAUSTED, f"a stream may ask for {MAX_TYPES} types, not more")
        subscription = self._make(type_url)
        self._subscriptions[type_url] = subscription
        ordered = sorted(self._subscriptions.values(), key=lambda it: RANK.get(it.type_url, len(RANK)))
        self._ordered = tuple(ordered)
        return subscription

    def _advance(
        self, subscription: Subscription[RequestT], resources: Resources, view: ProxyView, now: float
    ) -> Response | Unchanged | None:
        work = subscription.work(resources)
        if work is None:
            found_equal = not subscription.last_nonce and bool(subscription.known)
            subscription.settle(resources)
            return Unchanged(subscription.type_url) if found_equal else None
        wait_until = self._wait_until(subscription, work, view, now)
        if wait_until > now:
            self._pending = True
            self._deadline = min(wait_until, self._deadline or wait_until)
            return None
        if subscription.outstanding is not None:
            subscription.give_up_waiting()
            work = subscription.work(resources) or work
        early = self._early(subscription, work, now)
        may_remove = not work.gone or self._may_remove(subscription, work, view)
        content = subscription.compose(work, resources, early, may_remove=may_remove)
        complete = may_remove and not early and not subscription.withheld
        self._pending = self._pending or not complete
        if content is None:
            return None
        self._nonce += 1
        response = Response(
            subscription.type_url, str(self._nonce), subscription.version(content[0]), *content
        )
        self._note_assignments(subscription, work, response)
        subscription.sent(response, now + ACK_SECONDS)
        if complete:
            subscription.settle(resources)
        return response

    def _note_assignments(self, subscription: Subscription[RequestT], work: Work, response: Response) -> None:
        """A cluster that is sent stays cold until its load assignment is sent after it (X57)."""
        if subscription.type_url == CLUSTER:
            names = {it.eds_name for it in work.changed.values() if it.eds_name}
            self._unserved |= names
            if endpoints := self._subscriptions.get(ENDPOINT):
                endpoints.owe(names)
        elif subscription.type_url == ENDPOINT and subscription.owed:
            self._unserved = (self._unserved - subscription.owed) or NO_NAMES
            self._warming_nonce = response.nonce

    def _wait_until(
        self, subscription: Subscription[RequestT], work: Work, view: ProxyView, now: float
    ) -> float:
        """Until when this must wait, unless something happens before; 0 if it need not."""
        if subscription.outstanding is not None and now < subscription.deadline:
            return subscription.deadline
        if subscription.type_url in GATED and work.changed and self._warming(view):
            self._gate_deadline = self._gate_deadline or now + GATE_SECONDS
            self._gate_held = now < self._gate_deadline
            return self._gate_deadline
        if subscription.type_url == CLUSTER and not subscription.last_nonce:
            telling = GATED if work.gone else NO_NAMES
            if _regrouped(subscription, work):
                telling |= {ENDPOINT}
            return 0 if self._subscriptions.keys() >= telling else self._opened + RECONNECT_SECONDS
        return 0

    def _early(self, subscription: Subscription[RequestT], work: Work, now: float) -> AbstractSet[str]:
        """Clusters of clusters that the client has in use, and whose members are not warm yet (X59)."""
        if subscription.type_url != CLUSTER:
            return NO_NAMES
        cold = self._cold()
        early = {
            name
            for name in _regrouped(subscription, work)
            if cold or not work.changed.keys().isdisjoint(work.changed[name].members)
        }
        if not early:
            return NO_NAMES
        self._gate_deadline = self._gate_deadline or now + GATE_SECONDS
        self._gate_held = now < self._gate_deadline
        if not self._gate_held:
            return NO_NAMES
        self._deadline = min(self._gate_deadline, self._deadline or self._gate_deadline)
        return early

    def _warming(self, view: ProxyView) -> bool:
        """Clusters are not yet acknowledged, or load assignments that they wait for (X55).

        A rejected cluster keeps nobody waiting, nor does one whose assignment the client never asks for.
        """
        clusters = self._subscriptions.get(CLUSTER)
        work = clusters.work(view.clusters) if clusters else None
        return (work is not None and bool(work.changed)) or self._cold()

    def _cold(self) -> bool:
        """Clusters that were sent are not acknowledged, or load assignments that they wait for."""
        clusters = self._subscriptions.get(CLUSTER)
        if clusters is not None and clusters.outstanding is not None and clusters.outstanding.resources:
            return True
        endpoints = self._subscriptions.get(ENDPOINT)
        if endpoints is None:
            return False
        sent = endpoints.outstanding
        return bool(endpoints.owed) or (sent is not None and sent.nonce == self._warming_nonce)

    def _may_remove(self, subscription: Subscription[RequestT], work: Work, view: ProxyView) -> bool:
        """Nothing that the client still holds can refer to what is gone (X56)."""
        if subscription.type_url == CLUSTER:
            replaces = not work.changed.keys().isdisjoint(subscription.known)
            if replaces or self._cold():  # a cluster of clusters is in use until what replaces it is warm
                return False
        users = [self._subscriptions.get(user) for user in REMOVED_AFTER.get(subscription.type_url, ())]
        return all(
            user is None
            or (user.outstanding is None and not user.rejected and user.work(view.of(user.type_url)) is None)
            for user in users
        )


def _regrouped(subscription: Subscription[RequestT], work: Work) -> list[str]:
    """Changed clusters of clusters that the client has in some form already."""
    return [
        name
        for name, it in work.changed.items()
        if it.members and (name in subscription.known or name in subscription.rejected)
    ]

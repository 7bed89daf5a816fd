"""How a client stands with single resources of a type, for people who ask."""

from collections.abc import Mapping
from typing import Any

from xdsmesh.model.resource import EncodedResource, Resources
from xdsmesh.status.types import State
from xdsmesh.xds.subscription import Subscription


def states(subscription: Subscription[Any], resources: Resources) -> Mapping[str, State]:
    """Each resource's state, by name. It is STALE also while the client holds an older version of it."""
    outstanding = subscription.outstanding
    unanswered = {each.name for each in outstanding.resources} if outstanding else set()

    def state(resource: EncodedResource) -> State:
        if resource.name in subscription.rejected:
            return State.ERROR
        held = subscription.known.get(resource.name)
        if held is None:
            return State.NOT_SENT
        if held != resource.version or resource.name in unanswered:
            return State.STALE
        return State.SYNCED

    return {name: state(resource) for name, resource in resources.items()}

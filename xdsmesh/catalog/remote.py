"""What is known of the other datacenters: what they told us last, whether they are heard now or not."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from xdsmesh.catalog import codec, keys
from xdsmesh.catalog.stored import Stored
from xdsmesh.model.facts import Fact, FactKey
from xdsmesh.model.federation import (
    Cursor,
    Member,
    Membership,
    RemoteGateways,
    RemoteServer,
    RemoteService,
    Trust,
)
from xdsmesh.store.base import Change


class RemoteView:
    """The other datacenters at one revision of the store, as part of `CatalogView`.

    ``members`` are all datacenters of the mesh, this one included; none before there is a second one.
    ``services`` are by datacenter and name. ``membership`` and ``trust`` are those of a secondary.
    """

    def __init__(self) -> None:
        self.services: Final[dict[tuple[str, str], Stored[RemoteService]]] = {}
        self.gateways: Final[dict[str, Stored[RemoteGateways]]] = {}
        self.servers: Final[dict[str, Stored[RemoteServer]]] = {}
        self.members: Final[dict[str, Stored[Member]]] = {}
        self.cursors: Final[dict[str, Stored[Cursor]]] = {}
        self._membership: Final[dict[str, Stored[Membership]]] = {}
        self._trust: Final[dict[str, Stored[Trust]]] = {}

    @property
    def membership(self) -> Membership | None:
        """What this datacenter has joined; None: it is the primary, or alone."""
        return next((each.value for each in self._membership.values()), None)

    @property
    def trust(self) -> Trust | None:
        """Whom the primary trusts, as it told us last; None in the primary itself."""
        return next((each.value for each in self._trust.values()), None)

    def services_of(self, datacenter: str) -> Mapping[str, RemoteService]:
        """The services of another datacenter by name."""
        return {name: each.value for (where, name), each in self.services.items() if where == datacenter}

    def take(self, change: Change) -> Fact | None:
        """Take in a change under one of `PREFIXES`; None: it is no fact."""
        if change.key.startswith(keys.REMOTE):
            return self._take_remote(change, *keys.remote_pair(change.key))
        if change.key == keys.MEMBERSHIP:
            return _take(self._membership, "", change, codec.decode_membership, ("membership",))
        what = change.key.removeprefix(keys.SHARED)
        return self._take_member(change, what) if what.startswith(keys.MEMBER) else None

    def _take_remote(self, change: Change, datacenter: str, what: str) -> Fact | None:
        fact: FactKey
        if what.startswith(keys.SERVICE):
            name = what.removeprefix(keys.SERVICE)
            fact = ("remote-service", datacenter, name)
            return _take(self.services, (datacenter, name), change, codec.decode_remote_service, fact)
        if what.startswith(keys.MEMBER):
            return self._take_member(change, what)
        match what:
            case keys.GATEWAYS:
                fact = ("remote-gateways", datacenter)
                return _take(self.gateways, datacenter, change, codec.decode_remote_gateways, fact)
            case keys.SERVER:
                fact = ("remote-server", datacenter)
                return _take(self.servers, datacenter, change, codec.decode_remote_server, fact)
            case keys.TRUST:
                return _take(self._trust, "", change, codec.decode_trust, ("trust",))
            case keys.CURSOR:
                _take(self.cursors, datacenter, change, codec.decode_cursor, ("cursor", datacenter))
        return None

    def _take_member(self, change: Change, what: str) -> Fact:
        name = what.removeprefix(keys.MEMBER)
        return _take(self.members, name, change, codec.decode_member, ("member", name))


PREFIXES: Final = frozenset({keys.REMOTE, keys.SHARED, keys.FEDERATION})
"""Where in the store all of this is."""


def _take(
    values: dict[Any, Stored[Any]], name: object, change: Change, decode: Callable[[bytes], Any], key: FactKey
) -> Fact:
    before = values.pop(name, None)
    after = codec.stored(change.record, decode) if change.record else None
    if after:
        values[name] = after
    return Fact(
        key,
        after.value if after else None,
        after.origin if after else None,
        before=before.value if before else None,
    )

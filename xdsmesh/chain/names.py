"""The names of a chain's nodes and targets, and how a redirect or failover makes another one of them.

Namespace and partition are always ``default``; they are spelled out because Consul's API shows them.
"""

from typing import NamedTuple


class Lookup(NamedTuple):
    """What is being resolved: a service, perhaps one of its subsets, in a datacenter or in a peer."""

    service: str
    subset: str
    datacenter: str
    peer: str = ""

    @property
    def id(self) -> str:
        """The id of the target: ``[subset.]service.default.default.datacenter``.

        In a peer it is ``service.default.default.external.peer``: what is a subset there is decided there.
        """
        if self.peer:
            return f"{self.service}.default.default.external.{self.peer}"
        return f"{self._prefixed}.default.default.{self.datacenter}"

    def sni(self, trust_domain: str) -> str:
        """The server name that its instances answer to, which is also the name of its cluster.

        Empty for a peer, whose trust domain is its own.
        """
        return "" if self.peer else f"{self._prefixed}.default.{self.datacenter}.internal.{trust_domain}"

    @property
    def _prefixed(self) -> str:
        return f"{self.subset}.{self.service}" if self.subset else self.service


def router_key(service: str) -> str:
    """The key of a service's router node."""
    return f"router:{service}.default.default"


def splitter_key(service: str) -> str:
    """The key of a service's splitter node."""
    return f"splitter:{service}.default.default"


def service_of(key: str) -> str:
    """The service of a router or splitter node, by the node's key."""
    return key.partition(":")[2].rsplit(".", 2)[0]


def resolver_key(lookup: Lookup) -> str:
    """The key of the resolver node that ends at a target."""
    return f"resolver:{lookup.id}"

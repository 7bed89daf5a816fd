"""Which chains a change of config entries can touch."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.proxy_defaults import ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_resolver import ServiceResolver
from xdsmesh.config.kinds.service_router import ServiceRouter
from xdsmesh.config.kinds.service_splitter import ServiceSplitter

_OF_A_SERVICE: Final = frozenset(
    kind.KIND for kind in (ServiceDefaults, ServiceResolver, ServiceSplitter, ServiceRouter)
)


def affected_chains(
    changed: Iterable[tuple[str, str]], entries: Mapping[tuple[str, str], Entry]
) -> frozenset[str]:
    """The services whose chains may differ once the entries of these kinds and names have changed.

    ``entries`` is the set before the change, or after it, or both laid over each other. Of
    ``proxy-defaults`` every service is told that has an entry or is named by one; the chain of any
    other service is a resolver alone, and merely takes the protocol over.
    """
    keys = frozenset(changed)
    named_by: dict[str, set[str]] = defaultdict(set)
    for (kind, name), entry in entries.items():
        if kind in _OF_A_SERVICE:
            for service in entry.references():
                named_by[service].add(name)
    touched = {name for kind, name in keys if kind in _OF_A_SERVICE}
    if any(kind == ProxyDefaults.KIND for kind, _ in keys):
        touched |= {name for kind, name in entries if kind in _OF_A_SERVICE} | named_by.keys()
    return _with_dependants(touched, named_by)


def _with_dependants(services: set[str], named_by: Mapping[str, set[str]]) -> frozenset[str]:
    found = set(services)
    waiting = list(services)
    while waiting:
        fresh = named_by.get(waiting.pop(), set()) - found
        found |= fresh
        waiting += fresh
    return frozenset(found)

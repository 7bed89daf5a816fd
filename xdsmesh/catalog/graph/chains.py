"""Every chain that a change touches can still be compiled."""

from collections.abc import Iterator

from xdsmesh.catalog.graph.change import Change, Fault
from xdsmesh.catalog.graph.entry_set import EntrySet
from xdsmesh.chain.errors import PROBLEM_CODES
from xdsmesh.chain.types import ChainError


def faults(entries: EntrySet, change: Change) -> Iterator[Fault]:
    """The chains that can't be compiled."""
    for service in sorted(change.chains):
        chain = entries.chain(service)
        if isinstance(chain, ChainError):
            about = ("chain", service)
            yield Fault(PROBLEM_CODES[chain.code], (chain.kind, chain.name), about, chain.message)

"""A change of config entries, and what a rule finds wrong with it."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property

from xdsmesh.catalog.graph.entry_set import EntryKey, EntrySet
from xdsmesh.chain.affected import affected_chains
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.proxy_defaults import ProxyDefaults
from xdsmesh.model.codes import Code


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong between entries, and the one to look at.

    ``about`` is what is at fault, however that is worded: a chain that could not be compiled is not broken
    by a change after which it can't be compiled for another reason.
    """

    code: Code
    entry: EntryKey
    about: Hashable
    what: str
    remedy: str = ""


class Change:
    """Entries before and after, the keys of those that differ, and the chains that this can touch."""

    def __init__(
        self, before: Mapping[EntryKey, Entry], after: Mapping[EntryKey, Entry], datacenter: str
    ) -> None:
        self.before = EntrySet(before, datacenter)
        self.after = EntrySet(after, datacenter)
        self.keys = frozenset(
            key
            for key in before.keys() | after.keys()
            # Most entries are the very same ones; comparing the values of thousands takes milliseconds.
            if before.get(key) is not after.get(key) and before.get(key) != after.get(key)
        )

    @cached_property
    def chains(self) -> frozenset[str]:
        """The services whose chains may differ afterwards, as far as entries name them."""
        return affected_chains(self.keys, {**self.before.entries, **self.after.entries})

    @cached_property
    def of_proxy_defaults(self) -> bool:
        """Whether every service may speak another protocol afterwards."""
        return any(kind == ProxyDefaults.KIND for kind, _ in self.keys)

    def touches(self, service: str) -> bool:
        """Whether the chain of a service may differ afterwards, also of one that no entry names."""
        return self.of_proxy_defaults or service in self.chains

    def writes(self, entry: Entry) -> bool:
        """Whether the change writes or deletes an entry."""
        return (entry.KIND, entry.name) in self.keys

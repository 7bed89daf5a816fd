"""All config entries of a mesh at one time, and what they come to together."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from typing import Final, TypeVar, cast

from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.protocol import protocol_of
from xdsmesh.chain.types import ChainError, ChainRequest, CompiledChain
from xdsmesh.config.entry import Entry

EntryKey = tuple[str, str]
"""A kind and a name."""

_EntryT = TypeVar("_EntryT", bound=Entry)

_TRUST_DOMAIN: Final = "trust.domain.invalid"
"""It only becomes part of names; whether a chain can be compiled does not depend on it."""


class EntrySet:
    """Entries by kind and name. Chains are compiled when they are asked for, and once."""

    def __init__(self, entries: Mapping[EntryKey, Entry], datacenter: str) -> None:
        self.entries: Final = entries
        self.datacenter: Final = datacenter
        self._chains: dict[str, CompiledChain | ChainError] = {}

    def every(self, kind: type[_EntryT]) -> list[_EntryT]:
        """The entries of a kind, by name."""
        entries = self._by_kind.get(kind.KIND, [])
        return cast("list[_EntryT]", sorted(entries, key=lambda entry: entry.name))

    def read(self, kind: str, name: str) -> Entry | None:
        """One entry."""
        return self.entries.get((kind, name))

    def chain(self, service: str) -> CompiledChain | ChainError:
        """The chain of a service, or why there is none."""
        if service not in self._chains:
            request = ChainRequest(service, self.datacenter, _TRUST_DOMAIN)
            self._chains[service] = compile_chain(request, self.read)
        return self._chains[service]

    def protocol(self, service: str) -> str:
        """The protocol of a service's chain; of one that can't be compiled, that of the service."""
        chain = self.chain(service)
        return (
            chain.protocol if isinstance(chain, CompiledChain) else protocol_of(service, self.read).protocol
        )

    @cached_property
    def _by_kind(self) -> Mapping[str, list[Entry]]:
        found: dict[str, list[Entry]] = defaultdict(list)
        for (kind, _), entry in self.entries.items():
            found[kind].append(entry)
        return found

from collections.abc import Callable

import pytest

from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.types import ChainError, ChainRequest, CompiledChain
from xdsmesh.config.entry import Entry

Compile = Callable[..., CompiledChain | ChainError]


def _compile(service: str, *entries: Entry) -> CompiledChain | ChainError:
    by_key = {(entry.KIND, entry.name): entry for entry in entries}
    request = ChainRequest(service, "dc1", "trust.consul")
    return compile_chain(request, lambda kind, name: by_key.get((kind, name)))


@pytest.fixture
def compiled() -> Callable[..., CompiledChain]:
    """Compile the chain of a service from entries, expecting that it can be."""

    def compile_well(service: str, *entries: Entry) -> CompiledChain:
        result = _compile(service, *entries)
        assert isinstance(result, CompiledChain), result
        return result

    return compile_well


@pytest.fixture
def refused() -> Callable[..., ChainError]:
    """Compile the chain of a service from entries, expecting that it can't be."""

    def compile_badly(service: str, *entries: Entry) -> ChainError:
        result = _compile(service, *entries)
        assert isinstance(result, ChainError), result
        return result

    return compile_badly

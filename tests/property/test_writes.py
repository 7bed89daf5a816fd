"""What holds for any sequence of writes of entries: none breaks a chain, none is refused for nothing."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from xdsmesh.catalog.repository import Repository
from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.types import ChainError, ChainRequest
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.proxy_defaults import NAME, ProxyConfig, ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_resolver import Failover, Redirect, ServiceResolver, Subset
from xdsmesh.config.kinds.service_router import Destination, Route, ServiceRouter
from xdsmesh.config.kinds.service_splitter import ServiceSplitter, Split
from xdsmesh.model.catalog import Node
from xdsmesh.model.errors import RefusedError
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.memory import MemoryStore

Key = tuple[str, str]
Entries = dict[Key, Entry]

NAMES = tuple("abcd")
ORIGIN = Origin(Source.API, "a test")
services = st.sampled_from(NAMES)
subsets = st.sampled_from(("", "", "v1"))
protocols = st.sampled_from(("http", "http", "http", "tcp"))

entries = st.one_of(
    st.builds(ServiceDefaults, name=services, protocol=protocols),
    st.builds(
        ServiceResolver,
        name=services,
        subsets=st.sampled_from(({}, {"v1": Subset()})),
        redirect=st.none() | st.builds(Redirect, service=services, service_subset=subsets),
    ),
    st.builds(
        ServiceResolver,
        name=services,
        subsets=st.just({"v1": Subset()}),
        failover=st.dictionaries(st.just("*"), st.builds(Failover, service=services), max_size=1),
    ),
    st.builds(
        ServiceSplitter,
        name=services,
        splits=st.builds(Split, weight=st.just(100.0), service=services, service_subset=subsets).map(
            lambda x: [x]
        ),
    ),
    st.builds(
        ServiceRouter,
        name=services,
        routes=st.lists(
            st.builds(Route, destination=st.builds(Destination, service=services, service_subset=subsets)),
            max_size=2,
        ),
    ),
    st.builds(ProxyDefaults, name=st.just(NAME), config=st.builds(ProxyConfig, protocol=protocols)),
)
writes = st.tuples(st.sampled_from(("put", "put", "put", "delete")), entries)


def broken(present: Entries) -> set[str]:
    """The services whose chains can't be compiled."""
    compiled = {
        name: compile_chain(ChainRequest(name, "dc1", "t"), lambda kind, name: present.get((kind, name)))
        for name in NAMES
    }
    return {name for name, chain in compiled.items() if isinstance(chain, ChainError)}


@given(st.lists(writes, max_size=25))
def test_a_write_is_accepted_just_when_every_chain_can_be_compiled_afterwards(
    sequence: list[tuple[str, Entry]],
) -> None:
    async def write_all() -> None:
        repository = Repository(MemoryStore(), Node("node-1", "127.0.0.1", "dc1"))
        present: Entries = {}
        for verb, entry in sequence:
            key = (entry.KIND, entry.name)
            others = {each: value for each, value in present.items() if each != key}
            wanted = {**others, key: entry} if verb == "put" else others
            try:
                if verb == "put":
                    await repository.put_entry(entry, ORIGIN)
                else:
                    await repository.delete_entry(*key, ORIGIN)
            except RefusedError:
                assert broken(wanted)
            else:
                present = wanted
                assert not broken(present)
        stored = (await repository.entries())[1]
        assert {(each.value.KIND, each.value.name): each.value for each in stored} == present

    asyncio.run(write_all())

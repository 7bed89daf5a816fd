"""What holds for the chains of any entries."""

import itertools
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from xdsmesh.chain.affected import affected_chains
from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.types import (
    ChainError,
    ChainRequest,
    CompiledChain,
    Node,
    ReadEntry,
    ResolverNode,
    RouterNode,
    SplitterNode,
)
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.proxy_defaults import ProxyConfig, ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_resolver import Redirect, ServiceResolver, Subset
from xdsmesh.config.kinds.service_router import Destination, HTTPMatch, Match, Route, ServiceRouter
from xdsmesh.config.kinds.service_splitter import ServiceSplitter, Split

Key = tuple[str, str]
Entries = dict[Key, Entry]
Result = CompiledChain | ChainError

NAMES = tuple("abcde")
SUBSETS = ("v1", "v2")
services = st.sampled_from(NAMES)
maybe_service = st.sampled_from(("", *NAMES))
maybe_subset = st.sampled_from(("",) * 8 + SUBSETS)
protocols = st.sampled_from(("http",) * 8 + ("grpc", "tcp", ""))


@st.composite
def weights(draw: st.DrawFn, *, step: int = 1) -> list[float]:
    """Weights that add up to 100, in multiples of ``step`` hundredths."""
    whole = 10_000 // step
    cuts = sorted(draw(st.lists(st.integers(0, whole), max_size=4)))
    return [(end - start) * step / 100 for start, end in zip([0, *cuts], [*cuts, whole], strict=True)]


@st.composite
def splitters(draw: st.DrawFn) -> ServiceSplitter:
    splits = [
        Split(weight=weight, service=draw(maybe_service), service_subset=draw(maybe_subset))
        for weight in draw(weights())
    ]
    return ServiceSplitter(name=draw(services), splits=splits)


@st.composite
def resolvers(draw: st.DrawFn) -> ServiceResolver:
    redirect = st.builds(
        Redirect,
        service=maybe_service,
        service_subset=maybe_subset,
        datacenter=st.sampled_from(("", "dc1", "dc2")),
    )
    return ServiceResolver(
        name=draw(services),
        default_subset=draw(maybe_subset),
        subsets=dict.fromkeys(SUBSETS, Subset()) if draw(st.integers(0, 3)) else {},
        redirect=draw(st.one_of(st.none(), st.none(), redirect)),
    )


@st.composite
def routers(draw: st.DrawFn) -> ServiceRouter:
    destinations = st.builds(Destination, service=maybe_service, service_subset=maybe_subset)
    match = Match(http=HTTPMatch(path_prefix="/x"))
    routes = [Route(match=match, destination=item) for item in draw(st.lists(destinations, max_size=3))]
    return ServiceRouter(name=draw(services), routes=routes)


any_entry: st.SearchStrategy[Entry] = st.one_of(
    st.builds(ProxyDefaults, name=st.just("global"), config=st.builds(ProxyConfig, protocol=protocols)),
    st.builds(ServiceDefaults, name=services, protocol=protocols),
    resolvers(),
    splitters(),
    routers(),
)
http_entries = st.tuples(
    st.lists(splitters(), min_size=1, max_size=5),
    st.lists(routers(), max_size=2),
    st.lists(any_entry, max_size=6),
).map(
    lambda parts: keyed(
        [ProxyDefaults(name="global", config=ProxyConfig(protocol="http")), *itertools.chain(*parts)]
    )
)
"""Sets of entries most of whose chains compile."""


def keyed(entries: list[Entry]) -> Entries:
    return {(entry.KIND, entry.name): entry for entry in entries}


def reader(entries: Mapping[Key, Entry]) -> ReadEntry:
    return lambda kind, name: entries.get((kind, name))


def compiled(service: str, entries: Mapping[Key, Entry]) -> Result:
    return compile_chain(ChainRequest(service, "dc1", "trust.consul"), reader(entries))


def following(node: Node) -> list[str]:
    match node:
        case RouterNode(routes=routes):
            return [route.next for route in routes]
        case SplitterNode(splits=splits):
            return [split.next for split in splits]
        case ResolverNode():
            return []


@given(service=services, entries=http_entries)
def test_every_way_through_a_chain_ends_at_a_target(service: str, entries: Entries) -> None:
    chain = compiled(service, entries)
    if isinstance(chain, ChainError):
        return
    reached: set[str] = set()
    level = {chain.start}
    for _ in range(3):
        reached |= level
        level = {key for at in level for key in following(chain.nodes[at])}
    assert not level, "a router, a splitter and a resolver are the longest way"
    assert reached == set(chain.nodes)
    ends = {node.target for node in chain.nodes.values() if isinstance(node, ResolverNode)}
    assert ends == set(chain.targets)


@given(service=services, entries=http_entries)
def test_an_error_says_what_to_look_at(service: str, entries: Entries) -> None:
    error = compiled(service, entries)
    if isinstance(error, ChainError):
        assert (error.kind, error.name) in entries
        assert f'chain "{service}": ' in error.message
        assert f'"{error.name}"' in error.message


@given(service=services, entries=http_entries)
def test_the_legs_of_a_splitter_take_everything_but_for_rounding(service: str, entries: Entries) -> None:
    chain = compiled(service, entries)
    if isinstance(chain, ChainError):
        return
    for node in chain.nodes.values():
        if isinstance(node, SplitterNode):
            total = sum(split.weight for split in node.splits)
            # Each rounded product is off by half a hundredth at most, and a leg is as many of them as it
            # passes splitters.
            assert abs(total - 10_000) <= 0.5 * len(node.splits) * len(NAMES)


@given(rows=st.lists(weights(step=1000), min_size=1, max_size=4))
def test_nested_weights_that_need_no_rounding_add_up_exactly(rows: list[list[float]]) -> None:
    entries: list[Entry] = [ProxyDefaults(name="global", config=ProxyConfig(protocol="http"))]
    for depth, row in enumerate(rows):
        legs = [
            Split(weight=weight, service=f"s{depth + 1}" if not n else f"end{depth}-{n}")
            for n, weight in enumerate(row)
        ]
        entries.append(ServiceSplitter(name=f"s{depth}", splits=legs))
    chain = compiled("s0", keyed(entries))
    assert isinstance(chain, CompiledChain)
    (splitter,) = (node for node in chain.nodes.values() if isinstance(node, SplitterNode))
    assert sum(split.weight for split in splitter.splits) == 10_000


@given(service=services, entries=http_entries, data=st.data())
def test_the_order_of_entries_means_nothing(service: str, entries: Entries, data: st.DataObject) -> None:
    order = data.draw(st.permutations(list(entries)))
    shuffled = {key: entries[key] for key in order}
    assert repr(compiled(service, shuffled)) == repr(compiled(service, entries))


@given(service=services, entries=http_entries, others=http_entries)
def test_only_what_is_read_shapes_a_chain(service: str, entries: Entries, others: Entries) -> None:
    recorded: dict[Key, Entry | None] = {}

    def record(kind: str, name: str) -> Entry | None:
        return recorded.setdefault((kind, name), entries.get((kind, name)))

    request = ChainRequest(service, "dc1", "trust.consul")
    first = compile_chain(request, record)
    unread = {key: entry for key, entry in others.items() if key not in recorded}
    known = {key: entry for key, entry in recorded.items() if entry is not None}
    assert compile_chain(request, reader({**unread, **known})) == first


@given(before=http_entries, edits=st.lists(any_entry, min_size=1, max_size=3), data=st.data())
def test_chains_that_differ_after_a_change_were_foretold(
    before: Entries, edits: list[Entry], data: st.DataObject
) -> None:
    removed = data.draw(st.sets(st.sampled_from(sorted(before)), max_size=2))
    kept = {key: entry for key, entry in before.items() if key not in removed}
    after = {**kept, **keyed(edits)}
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    laid_over = {**before, **after}
    known = {name for _, name in laid_over} | {
        name for entry in laid_over.values() for name in entry.references()
    }
    differing = {name for name in known - {"global"} if compiled(name, before) != compiled(name, after)}
    assert differing <= affected_chains(changed, laid_over)


@given(before=http_entries, edit=any_entry)
def test_a_change_is_foretold_from_the_entries_before_or_after_it(before: Entries, edit: Entry) -> None:
    key = (edit.KIND, edit.name)
    after = {**before, key: edit}
    differing = {name for name in NAMES if compiled(name, before) != compiled(name, after)}
    if edit.KIND != ProxyDefaults.KIND:
        assert differing <= affected_chains([key], before)
        assert differing <= affected_chains([key], after)

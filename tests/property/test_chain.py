"""What holds for the chains of any entries."""

import itertools
import re
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from xdsmesh.chain.affected import affected_chains
from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.types import (
    ChainError,
    ChainRequest,
    CompiledChain,
    Node,
    Overrides,
    ReadEntry,
    ResolverNode,
    RouterNode,
    SplitterNode,
)
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.proxy_defaults import FailoverPolicy, ProxyConfig, ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_resolver import (
    Failover,
    FailoverTarget,
    Redirect,
    ServiceResolver,
    Subset,
)
from xdsmesh.config.kinds.service_router import Destination, HTTPMatch, Match, Route, ServiceRouter
from xdsmesh.config.kinds.service_splitter import ServiceSplitter, Split
from xdsmesh.config.parts.load_balancer import LoadBalancer
from xdsmesh.config.parts.mesh_gateway import MODES, MeshGateway
from xdsmesh.config.parts.transparent_proxy import TransparentProxy
from xdsmesh.model.duration import Duration

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


redirects = st.one_of(
    st.builds(
        Redirect,
        service=maybe_service,
        service_subset=maybe_subset,
        datacenter=st.sampled_from(("", "dc1", "dc2")),
    ),
    st.builds(Redirect, service=services, peer=st.sampled_from(("p1", "p2"))),
)
alternatives = st.one_of(
    st.builds(
        FailoverTarget,
        service=maybe_service,
        service_subset=maybe_subset,
        datacenter=st.sampled_from(("", "dc1", "dc2")),
    ),
    st.builds(FailoverTarget, service=maybe_service, peer=st.sampled_from(("p1", "p2"))),
)
failovers = st.one_of(
    st.builds(
        Failover,
        service=maybe_service,
        service_subset=maybe_subset,
        datacenters=st.lists(st.sampled_from(("dc1", "dc2", "dc3")), max_size=3),
    ),
    st.builds(Failover, targets=st.lists(alternatives, min_size=1, max_size=3)),
)
load_balancers = st.builds(LoadBalancer, policy=st.sampled_from(("round_robin", "ring_hash", "maglev")))
timeouts = st.builds(Duration.of, seconds=st.sampled_from((0, 0, 5, 7)))
gateways = st.builds(MeshGateway, mode=st.sampled_from(MODES))
transparent = st.builds(TransparentProxy, dialed_directly=st.booleans())


@st.composite
def resolvers(draw: st.DrawFn) -> ServiceResolver:
    redirect = draw(st.one_of(st.none(), st.none(), redirects))
    subsets = dict.fromkeys(SUBSETS, Subset()) if draw(st.integers(0, 3)) else {}
    sections = st.dictionaries(st.sampled_from(("*", *subsets)), failovers, max_size=2)
    return ServiceResolver(
        name=draw(services),
        default_subset=draw(maybe_subset),
        subsets=subsets,
        redirect=redirect,
        failover={} if redirect else draw(sections),
        load_balancer=draw(st.one_of(st.none(), load_balancers)),
        connect_timeout=draw(timeouts),
    )


@st.composite
def routers(draw: st.DrawFn) -> ServiceRouter:
    destinations = st.builds(Destination, service=maybe_service, service_subset=maybe_subset)
    match = Match(http=HTTPMatch(path_prefix="/x"))
    routes = [Route(match=match, destination=item) for item in draw(st.lists(destinations, max_size=3))]
    return ServiceRouter(name=draw(services), routes=routes)


any_entry: st.SearchStrategy[Entry] = st.one_of(
    st.builds(
        ProxyDefaults,
        name=st.just("global"),
        config=st.builds(ProxyConfig, protocol=protocols),
        mesh_gateway=gateways,
        transparent_proxy=transparent,
        failover_policy=st.one_of(st.none(), st.just(FailoverPolicy(mode="sequential"))),
    ),
    st.builds(
        ServiceDefaults,
        name=services,
        protocol=protocols,
        mesh_gateway=gateways,
        transparent_proxy=transparent,
        external_sni=st.sampled_from(("",) * 8 + ("outside",)),
        meta=st.dictionaries(st.just("team"), st.just("red")),
    ),
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

overrides = st.builds(
    Overrides,
    protocol=st.sampled_from(("", "tcp", "http", "grpc")),
    mesh_gateway=st.sampled_from(MODES),
    connect_timeout=timeouts,
)


def keyed(entries: list[Entry]) -> Entries:
    return {(entry.KIND, entry.name): entry for entry in entries}


def reader(entries: Mapping[Key, Entry]) -> ReadEntry:
    return lambda kind, name: entries.get((kind, name))


def compiled(service: str, entries: Mapping[Key, Entry], wanted: Overrides | None = None) -> Result:
    request = ChainRequest(service, "dc1", "trust.consul", wanted or Overrides())
    return compile_chain(request, reader(entries))


def following(node: Node) -> list[str]:
    match node:
        case RouterNode(routes=routes):
            return [route.next for route in routes]
        case SplitterNode(splits=splits):
            return [split.next for split in splits]
        case ResolverNode():
            return []


@given(service=services, entries=http_entries, wanted=overrides)
def test_every_way_through_a_chain_ends_at_a_target(
    service: str, entries: Entries, wanted: Overrides
) -> None:
    chain = compiled(service, entries, wanted)
    if isinstance(chain, ChainError):
        return
    reached: set[str] = set()
    level = {chain.start}
    for _ in range(3):
        reached |= level
        level = {key for at in level for key in following(chain.nodes[at])}
    assert not level, "a router, a splitter and a resolver are the longest way"
    assert reached == set(chain.nodes)
    ends = [node for node in chain.nodes.values() if isinstance(node, ResolverNode)]
    assert set(chain.targets) == {id_ for node in ends for id_ in (node.target, *node.failover)}
    assert all(id_ == target.id for id_, target in chain.targets.items())


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


@given(service=services, entries=http_entries, wanted=overrides)
def test_a_chain_is_customized_just_when_an_override_makes_a_difference(
    service: str, entries: Entries, wanted: Overrides
) -> None:
    plain, overridden = compiled(service, entries), compiled(service, entries, wanted)
    if isinstance(plain, ChainError) or isinstance(overridden, ChainError):
        return
    assert re.fullmatch("|[0-9a-f]{8}", overridden.customization_hash)
    same = replace(overridden, customization_hash="") == plain
    assert same == (not overridden.customization_hash)
    assert compiled(service, entries, wanted) == overridden


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


At = tuple[str, str, str, str]
"""A service, its subset, its datacenter, its peer: what the reading below is in."""


def rewritten(at: At, to: Redirect | FailoverTarget) -> At:
    service, subset, datacenter, _ = at
    if to.service not in ("", service):
        service, subset = to.service, ""
    if to.peer:
        return service, to.service_subset or subset, "", to.peer
    return service, to.service_subset or subset, to.datacenter or datacenter or "dc1", ""


def id_of(at: At) -> str:
    service, subset, datacenter, peer = at
    prefix = f"{subset}." if subset and not peer else ""
    return f"{prefix}{service}.default.default.{f'external.{peer}' if peer else datacenter}"


def read_redirects(at: At, resolvers: Mapping[str, ServiceResolver], seen: tuple[str, ...] = ()) -> At | str:
    """Where a look-up ends, or the code of why it does not: the published rules, read word by word."""
    if id_of(at) in seen:
        return "circular-resolver-redirect"
    seen = (*seen, id_of(at))
    resolver = resolvers.get(at[0], ServiceResolver())
    if resolver.redirect and id_of(further := rewritten(at, resolver.redirect)) != id_of(at):
        return read_redirects(further, resolvers, seen)
    if resolver.default_subset and not at[1]:
        default = FailoverTarget(service_subset=resolver.default_subset)
        return read_redirects(rewritten(at, default), resolvers, seen)
    return "missing-subset" if at[1] and at[1] not in resolver.subsets else at


def read_failover(at: At, resolvers: Mapping[str, ServiceResolver]) -> list[At | str]:
    """Where the alternatives of a target end, in order, or the codes of why they do not."""
    sections = resolvers.get(at[0], ServiceResolver()).failover
    section = sections.get(at[1]) or sections.get("*")
    if section is None:
        return []
    wanted = [
        FailoverTarget(section.service, section.service_subset, datacenter)
        for datacenter in section.datacenters
    ] or section.targets
    candidates = [
        rewritten(at, each) for each in wanted or [FailoverTarget(section.service, section.service_subset)]
    ]
    return [read_redirects(each, resolvers) for each in candidates if id_of(each) != id_of(at)]


@given(service=services, entries=st.lists(resolvers(), max_size=6))
def test_redirects_and_failover_are_as_a_plain_reading_of_the_rules_has_them(
    service: str, entries: list[ServiceResolver]
) -> None:
    by_name = {entry.name: entry for entry in entries}
    chain = compiled(service, keyed([*entries]))
    end = read_redirects((service, "", "dc1", ""), by_name)
    if isinstance(end, str):
        assert isinstance(chain, ChainError)
        assert chain.code == end
        return
    alternatives = read_failover(end, by_name)
    refused = [each for each in alternatives if isinstance(each, str)]
    if refused:
        assert isinstance(chain, ChainError)
        assert chain.code == refused[0]
        return
    assert isinstance(chain, CompiledChain)
    node = chain.nodes[chain.start]
    assert isinstance(node, ResolverNode)
    assert node.target == id_of(end)
    assert list(node.failover) == [id_of(each) for each in alternatives if not isinstance(each, str)]

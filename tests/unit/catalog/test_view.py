"""The catalog in memory: what is joined to what, and that the way there makes no difference."""

from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from xdsmesh.catalog import codec, keys
from xdsmesh.catalog.view import CatalogView
from xdsmesh.model.catalog import Instance, Kind, Node, Proxy
from xdsmesh.model.checks import Check, CheckStatus, Health
from xdsmesh.model.facts import Fact
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Change, Record

API = Origin(Source.API, "a test")
Write = tuple[str, bytes | None]
"""A key, and its new value or None if it goes."""


class Written:
    """A view that is told of writes, one revision after the other, and what the store holds then."""

    def __init__(self) -> None:
        self.view = CatalogView()
        self.records: dict[str, Record] = {}
        self.facts: dict[tuple[str, ...], Any] = {}
        self.revision = 0

    def write(self, *writes: Write) -> tuple[Fact, ...]:
        self.revision += 1
        facts = self.view.take([self._change(key, value) for key, value in dict(writes).items()])
        for fact in facts:
            assert fact.before == self.facts.get(fact.key), "what was told before"
            if fact.value is None:
                self.facts.pop(fact.key, None)
            else:
                self.facts[fact.key] = fact.value
        return facts

    def _change(self, key: str, value: bytes | None) -> Change:
        before = self.records.pop(key, None)
        if value is None:
            return Change(key, None)
        created = before.created if before else self.revision
        self.records[key] = record = Record(key, value, API, created, self.revision)
        return Change(key, record)


def node(name: str = "n1", address: str = "10.0.0.1") -> Write:
    return keys.node_key(name), codec.encode_node(Node(name, address, "dc1"))


def instance(own_id: str = "web", on: str = "n1", service: str = "web", **more: Any) -> Write:
    value = Instance(own_id, service, Node(on, "", "dc1"), **more)
    return keys.instance_key(on, own_id), codec.encode_instance(value)


def check(own_id: str = "c", on: str = "n1", service_id: str = "web", notes: str = "") -> Write:
    value = Check(own_id, own_id, node=on, service_id=service_id, notes=notes)
    return keys.check_key(on, own_id), codec.encode_check(value)


def said(health: Health, own_id: str = "c", on: str = "n1", output: str = "") -> Write:
    return keys.status_key(on, own_id), codec.encode_status(CheckStatus(health, output))


def gone(write: Write) -> Write:
    return write[0], None


def joined(written: Written, own_id: str = "web", on: str = "n1") -> Instance:
    return written.view.instances[on, own_id].value


def told(facts: Iterable[Fact]) -> set[tuple[str, ...]]:
    return {fact.key for fact in facts}


def test_an_instance_has_its_node_and_the_checks_that_decide_about_it() -> None:
    written = Written()
    written.write(node(), instance(), check(), said(Health.PASSING, output="ok"), check("d", service_id=""))
    web = joined(written)
    assert web.node.address == "10.0.0.1"
    assert [(each.id, each.status, each.output) for each in web.checks] == [
        ("d", Health.UNSAID, ""),
        ("c", Health.PASSING, "ok"),
    ]


def test_a_change_of_a_node_is_one_of_all_on_it_and_of_no_others() -> None:
    written = Written()
    written.write(node(), node("n2"), instance(), instance("db"), instance("far", "n2"))
    assert told(written.write(node(address="10.9.9.9"))) == {
        ("node", "n1"),
        ("instance", "n1", "web"),
        ("instance", "n1", "db"),
    }
    assert joined(written, "db").node.address == "10.9.9.9"
    assert joined(written, "far", "n2").node.address == "10.0.0.1"
    written.write(gone(node()))
    assert joined(written).node == Node("n1", "", "dc1"), "nobody says where it is"


def test_what_a_check_says_is_a_change_of_its_instance_and_of_no_others() -> None:
    written = Written()
    written.write(node(), instance(), instance("db"), check())
    facts = written.write(said(Health.PASSING))
    assert told(facts) == {("check", "n1", "c"), ("instance", "n1", "web")}
    assert joined(written).health is Health.PASSING
    modified = written.view.checks["n1", "c"].modified
    assert (modified, written.view.checks["n1", "c"].created) == (2, 1)


def test_a_check_of_a_node_is_one_of_all_on_it() -> None:
    written = Written()
    written.write(node(), instance(), instance("db"), instance("far", "n2"))
    facts = written.write(check(service_id=""), said(Health.CRITICAL))
    assert told(facts) == {("check", "n1", "c"), ("instance", "n1", "web"), ("instance", "n1", "db")}
    assert joined(written, "db").health is Health.CRITICAL
    assert joined(written, "far", "n2").health is Health.PASSING
    written.write(gone(check()), gone(said(Health.CRITICAL)))
    assert joined(written, "db").checks == ()


def test_a_check_that_moves_changes_both_services() -> None:
    written = Written()
    written.write(node(), instance(), instance("db"), check(), said(Health.PASSING))
    facts = written.write(check(service_id="db"))
    assert told(facts) == {("check", "n1", "c"), ("instance", "n1", "web"), ("instance", "n1", "db")}
    assert joined(written).checks == ()
    assert [each.id for each in joined(written, "db").checks] == ["c"]
    written.write(check(service_id=""))
    assert [len(joined(written, each).checks) for each in ("web", "db")] == [1, 1]


def test_checks_may_come_before_their_instance_and_stay_after_it() -> None:
    written = Written()
    written.write(said(Health.WARNING))
    assert written.view.checks == {}, "a status alone is no check"
    written.write(check())
    written.write(instance())
    assert joined(written).health is Health.WARNING
    written.write(gone(instance()))
    assert [each.value.id for each in written.view.checks_of("n1", "web")] == ["c"]


def test_instances_are_found_by_what_they_are_now() -> None:
    written = Written()
    proxy = Proxy("web")
    written.write(node(), instance(), instance("p", service="p", kind=Kind.CONNECT_PROXY, proxy=proxy))
    view = written.view

    def ids(found: Iterable[Any]) -> list[str]:
        return [each.value.id for each in found]

    assert ids(view.instances_of("WEB")) == ["web"]
    assert ids(view.instances_before("web")) == ["p"]
    written.write(instance(service="other", native=True))
    written.write(instance("p", service="p", kind=Kind.CONNECT_PROXY, proxy=Proxy("other")))
    assert ids(view.instances_of("web")) == ids(view.instances_before("web")) == []
    assert ids(view.instances_before("other")) == ["p", "web"]
    written.write(gone(instance()), gone(instance("p")))
    assert ids(view.instances_on("n1")) == ids(view.instances_with("p")) == []
    assert set(view.by_service.names()) == set()


NODES = ("n1", "n2")
IDS = ("a", "b")
nodes = st.sampled_from(NODES)
ids = st.sampled_from(IDS)
kinds = st.sampled_from(
    (
        {},
        {"native": True},
        {"kind": Kind.CONNECT_PROXY, "proxy": Proxy("web")},
        {"kind": Kind.CONNECT_PROXY, "proxy": Proxy("db")},
    )
)
writes = st.one_of(
    st.builds(node, nodes, st.sampled_from(("10.0.0.1", "10.0.0.2"))),
    st.builds(
        lambda own_id, on, service, kind: instance(own_id, on, service, **kind),
        ids,
        nodes,
        st.sampled_from(("web", "db", "WEB")),
        kinds,
    ),
    st.builds(check, st.sampled_from(("c", "d")), nodes, st.sampled_from(("", *IDS)), st.sampled_from("xy")),
    st.builds(said, st.sampled_from(Health), st.sampled_from(("c", "d")), nodes, st.sampled_from("xy")),
)
revisions = st.lists(st.lists(writes | writes.map(gone), min_size=1, max_size=4), max_size=14)


def everything(view: CatalogView) -> dict[str, object]:
    groups = (view.by_service, view.by_destination)
    return {
        "nodes": view.nodes,
        "instances": view.instances,
        "checks": view.checks,
        "groups": [{name: group.of(name) for name in group.names()} for group in groups],
        "on": {each: view.instances_on(each) for each in NODES},
        "with": {each: view.instances_with(each) for each in IDS},
        "checks of": {(on, each): view.checks_of(on, each) for on in NODES for each in ("", *IDS)},
    }


@given(revisions)
@settings(max_examples=150, deadline=None)
def test_step_by_step_is_the_same_as_at_once(history: list[list[Write]]) -> None:
    written = Written()
    for step in history:
        written.write(*step)
        at_once = CatalogView()
        at_once.take(Change(key, record) for key, record in sorted(written.records.items()))
        assert everything(written.view) == everything(at_once)
        view = written.view
        known: dict[tuple[str, ...], Any] = {("node", name): each.value for name, each in view.nodes.items()}
        known |= {("instance", *key): each.value for key, each in view.instances.items()}
        known |= {("check", *key): each.value for key, each in view.checks.items()}
        assert written.facts == known, "who follows the facts knows as much"

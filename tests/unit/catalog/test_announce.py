"""What a server says of itself in its catalog."""

import pytest

from xdsmesh.catalog import codec, keys
from xdsmesh.catalog.announce import ALIVE, ANNOUNCER, SERVICE, announce
from xdsmesh.model.catalog import Instance, Node
from xdsmesh.model.checks import CheckStatus, Health
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Put, Record, Store, Txn

NODE = Node("n1", "10.0.0.1", "dc1")
API = Origin(Source.API, "a test")


async def record(store: Store, key: str) -> Record:
    found = await store.get(key)
    assert found, key
    return found


async def test_a_server_has_a_node_that_is_alive_and_a_service(store: Store) -> None:
    await announce(store, NODE, lambda: "an-id")
    node = await record(store, keys.node_key("n1"))
    assert (codec.decode_node(node.value), node.origin) == (
        Node("n1", "10.0.0.1", "dc1", id="an-id"),
        ANNOUNCER,
    )
    service = codec.decode_instance((await record(store, keys.instance_key("n1", SERVICE))).value)
    assert (service.service, service.port) == ("consul", 8300)
    check = codec.decode_check((await record(store, keys.check_key("n1", ALIVE))).value)
    assert (check.name, check.service_id, check.node) == ("Serf Health Status", "", "n1")
    status = codec.decode_status((await record(store, keys.status_key("n1", ALIVE))).value)
    assert status == CheckStatus(Health.PASSING, "Agent alive and reachable")


async def test_a_node_keeps_its_id_and_gets_its_new_address(store: Store) -> None:
    await announce(store, NODE, lambda: "first")
    revision, _ = await store.list("")
    await announce(store, NODE, lambda: "second")
    assert (await store.list(""))[0] == revision, "nothing new is nothing written"
    await announce(store, Node("n1", "10.0.0.2", "dc1"), lambda: "third")
    node = codec.decode_node((await record(store, keys.node_key("n1"))).value)
    assert (node.id, node.address) == ("first", "10.0.0.2")


@pytest.mark.parametrize("own_id", ["", "theirs"])
async def test_what_others_wrote_under_its_name_is_the_servers_from_now_on(store: Store, own_id: str) -> None:
    theirs = Node("n1", "10.9.9.9", "dc1", id=own_id)
    consul = Instance(SERVICE, "their-consul", theirs)
    puts = (
        Put(keys.node_key("n1"), codec.encode_node(theirs)),
        Put(keys.instance_key("n1", SERVICE), codec.encode_instance(consul)),
    )
    await store.commit(Txn(puts), API)
    await announce(store, NODE, lambda: "new")
    node = await record(store, keys.node_key("n1"))
    assert codec.decode_node(node.value) == Node("n1", "10.0.0.1", "dc1", id=own_id or "new")
    service = await record(store, keys.instance_key("n1", SERVICE))
    assert {node.origin, service.origin} == {ANNOUNCER}

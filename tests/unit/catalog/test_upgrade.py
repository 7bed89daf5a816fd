"""Data of an earlier release, and of this server under another name, where a server starts."""

from typing import Any

import msgspec

from xdsmesh.catalog import codec, keys
from xdsmesh.catalog.announce import ANNOUNCER, announce
from xdsmesh.catalog.upgrade import upgrade
from xdsmesh.model.catalog import Instance, Node
from xdsmesh.model.checks import Check, CheckStatus, CheckType, Health
from xdsmesh.model.origin import PROBER, Origin, Source
from xdsmesh.store.base import Put, Record, Store, Txn

API = Origin(Source.API, "10.0.0.9")
FILE = Origin(Source.FILE, "web.hcl", 3, 1)

OLD_WEB: dict[str, Any] = {
    "address": "10.0.0.1",
    "checks": [
        {"id": "service:web/1", "name": "c", "notes": "n", "output": "fine", "status": "passing"},
        {"id": "service:web/2", "name": "d", "notes": "", "output": "", "status": "critical"},
    ],
    "id": "web",
    "kind": "",
    "meta": {"version": "1"},
    "node": {"address": "127.0.0.1", "datacenter": "dc1", "meta": {}, "name": "old-name"},
    "port": 80,
    "proxy": None,
    "service": "web",
    "sidecar_of": "",
    "tags": ["v1"],
    "weights": {"passing": 1, "warning": 1},
}
"""An instance as format 1 of the store had it."""
OLD_SIDECAR: dict[str, Any] = {
    **OLD_WEB,
    "id": "web-sidecar-proxy",
    "service": "web-sidecar-proxy",
    "kind": "connect-proxy",
    "checks": [],
    "port": 21000,
    "proxy": {"destination_service_id": "web", "destination_service_name": "web", "local_service_port": 80},
    "sidecar_of": "web",
}


async def records(store: Store) -> dict[str, Record]:
    return {record.key: record for record in (await store.list(""))[1]}


async def put(store: Store, origin: Origin, **values: bytes) -> None:
    await store.commit(Txn(tuple(Put(key, value) for key, value in values.items())), origin)


async def test_what_an_instance_had_in_it_becomes_records_of_their_own(store: Store) -> None:
    await put(store, FILE, **{"instance/web": msgspec.json.encode(OLD_WEB)})
    await put(store, API, **{"instance/web-sidecar-proxy": msgspec.json.encode(OLD_SIDECAR)})
    await upgrade(store, "n1")
    there = await records(store)
    assert set(there) == {
        "service/n1/web",
        "service/n1/web-sidecar-proxy",
        "check/n1/service:web/1",
        "check/n1/service:web/2",
        "status/n1/service:web/1",
        "status/n1/service:web/2",
    }
    web = codec.decode_instance(there["service/n1/web"].value)
    assert web == Instance(
        "web",
        "web",
        Node("n1", "", "dc1"),
        address="10.0.0.1",
        port=80,
        tags=("v1",),
        meta={"version": "1"},
    )
    sidecar = codec.decode_instance(there["service/n1/web-sidecar-proxy"].value)
    assert (sidecar.sidecar_of, sidecar.proxy and sidecar.proxy.local_service_port) == ("web", 80)
    check = codec.decode_check(there["check/n1/service:web/1"].value)
    assert (check.node, check.service_id, check.notes) == ("n1", "web", "n")
    said = codec.decode_status(there["status/n1/service:web/1"].value)
    assert said == CheckStatus(Health.PASSING, "fine")
    origins = {key: record.origin for key, record in there.items()}
    assert {origins["service/n1/web"], origins["check/n1/service:web/1"]} == {FILE}
    assert origins["service/n1/web-sidecar-proxy"] == API
    assert origins["status/n1/service:web/1"] == PROBER


async def test_what_was_registered_moves_to_the_servers_new_name(store: Store) -> None:
    await announce(store, Node("a", "127.0.0.1", "dc1"), lambda: "id-of-a")
    check = Check("c/d", "c", service_id="web", node="a", type=CheckType.TTL)
    on_node = Check("disk", "disk", node="a", type=CheckType.TTL)
    far = Node("far", "10.0.0.2", "dc1")
    await put(
        store,
        API,
        **{
            keys.instance_key("a", "web"): codec.encode_instance(
                Instance("web", "web", Node("a", "", "dc1"))
            ),
            keys.check_key("a", "c/d"): codec.encode_check(check),
            keys.check_key("a", "disk"): codec.encode_check(on_node),
            keys.node_key("far"): codec.encode_node(far),
            keys.instance_key("far", "web"): codec.encode_instance(Instance("web", "web", far)),
        },
    )
    said = codec.encode_status(CheckStatus(Health.WARNING, "slow"))
    await put(store, PROBER, **{keys.status_key("a", "c/d"): said})

    await upgrade(store, "b")
    await announce(store, Node("b", "127.0.0.1", "dc1"), lambda: "id-of-b")

    there = await records(store)
    assert not [key for key in there if "/a/" in key or key.endswith("/a")]
    assert {key for key, record in there.items() if record.origin.source is Source.API} == {
        "service/b/web",
        "check/b/c/d",
        "check/b/disk",
        "node/far",
        "service/far/web",
    }
    assert codec.decode_instance(there["service/b/web"].value).node.name == "b"
    assert codec.decode_instance(there["service/far/web"].value).node.name == "far"
    moved = codec.decode_check(there["check/b/c/d"].value)
    assert (moved.node, moved.service_id) == ("b", "web")
    assert there["status/b/c/d"].value == said
    assert {there[key].origin for key in ("node/b", "service/b/consul", "check/b/serfHealth")} == {ANNOUNCER}


async def test_what_is_up_to_date_stays_as_it_is(store: Store) -> None:
    await announce(store, Node("a", "127.0.0.1", "dc1"), lambda: "1")
    await put(store, API, **{keys.node_key("far"): codec.encode_node(Node("far", "10.0.0.2", "dc1"))})
    before = await store.list("")
    await upgrade(store, "a")
    assert await store.list("") == before

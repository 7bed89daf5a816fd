"""Config entries and intentions that are written in a secondary: the primary decides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.feature.federation.conftest import until
from xdsmesh.catalog.keys import join_token_key
from xdsmesh.federation.store_id import ORIGIN
from xdsmesh.model.origin import Source
from xdsmesh.store.base import Put, Txn

if TYPE_CHECKING:
    from tests.feature.federation.api.conftest import Served

DEFAULTS = {"Kind": "service-defaults", "Name": "web", "Protocol": "http"}


async def test_an_entry_written_in_a_secondary_is_the_primarys_and_readable_at_once(
    primary: Served, secondary: Served
) -> None:
    answer = await secondary.api.put("/v1/config", json=DEFAULTS)
    assert (answer.status_code, answer.text) == (200, "true")
    for each in (secondary, primary):
        assert (await each.api.get("/v1/config/service-defaults/web")).json()["Protocol"] == "http"
    there = await primary.parts.repository.entry("service-defaults", "web")
    here = await secondary.parts.repository.entry("service-defaults", "web")
    assert there is not None
    assert here is not None
    assert (there.origin.source, there.origin.where) == (Source.API, "127.0.0.1 in dc2")
    assert (here.origin.source, here.origin.where) == (Source.PRIMARY, "dc1")


async def test_refusals_and_warnings_are_the_primarys(secondary: Served) -> None:
    splitter = {"Kind": "service-splitter", "Name": "api", "Splits": [{"Weight": 100}]}
    refused = await secondary.api.put("/v1/config", json=splitter)
    assert refused.status_code == 400
    assert "XM" in refused.text
    assert (await secondary.api.get("/v1/config/service-splitter/api")).status_code == 404


async def test_intentions_are_written_at_the_primary_in_all_their_ways(
    primary: Served, secondary: Served
) -> None:
    exact = "/v1/connect/intentions/exact?source=web&destination=db"
    assert (await secondary.api.put(exact, json={"Action": "deny"})).status_code == 200
    legacy = {"SourceName": "api", "DestinationName": "cache", "Action": "allow"}
    made = await secondary.api.post("/v1/connect/intentions", json=legacy)
    assert made.status_code == 200, made.text
    listed = (await secondary.api.get("/v1/connect/intentions")).json()
    assert {(each["SourceName"], each["DestinationName"]) for each in listed} == {
        ("web", "db"),
        ("api", "cache"),
    }
    several = [DEFAULTS, {"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http"}}]
    assert (await secondary.api.put("/v1/xdsmesh/config", json=several)).text == "true"
    assert (await secondary.api.delete(exact)).text == "true"
    assert (await secondary.api.delete(f"/v1/connect/intentions/{made.json()['ID']}")).status_code == 200
    assert (await primary.api.get("/v1/connect/intentions")).json() == []
    assert (await secondary.api.get("/v1/connect/intentions")).json() == []
    assert (await secondary.api.get("/v1/config/proxy-defaults/global")).status_code == 200


async def test_an_index_of_the_secondary_is_judged_by_what_it_stands_for(
    primary: Served, secondary: Served
) -> None:
    async def cas(index: int, **body: str) -> str:
        return (await secondary.api.put(f"/v1/config?cas={index}", json={**DEFAULTS, **body})).text

    for number in range(100):  # the revisions of the two stores are far apart
        record = Put(join_token_key(f"{number}"), b"{}")
        await secondary.datacenter.store.commit(Txn((record,)), ORIGIN)
    assert await cas(0) == "true"
    assert await cas(0, Protocol="tcp") == "false"
    here = (await secondary.api.get("/v1/config/service-defaults/web")).json()
    there = (await primary.api.get("/v1/config/service-defaults/web")).json()
    assert here["ModifyIndex"] != there["ModifyIndex"]
    assert await cas(there["ModifyIndex"], Protocol="tcp") == "false"
    assert await cas(here["ModifyIndex"], Protocol="tcp") == "true"
    assert await cas(here["ModifyIndex"], Protocol="grpc") == "false"
    assert (await primary.api.get("/v1/config/service-defaults/web")).json()["Protocol"] == "tcp"
    at_primary = (await secondary.api.get("/v1/config/service-defaults/web?dc=dc1")).json()["ModifyIndex"]
    answer = await secondary.api.put(f"/v1/config?dc=dc1&cas={at_primary}", json=DEFAULTS)
    assert answer.text == "true", "an index of the primary, for the primary"
    now = (await secondary.api.get("/v1/config/service-defaults/web")).json()["ModifyIndex"]
    assert (await secondary.api.delete(f"/v1/config/service-defaults/web?cas={now + 1}")).text == "false"
    assert (await secondary.api.delete(f"/v1/config/service-defaults/web?cas={now}")).text == "true"
    assert (await primary.api.get("/v1/config/service-defaults/web")).status_code == 404


async def test_an_index_with_an_intention_means_nothing_as_at_the_primary(secondary: Served) -> None:
    exact = "/v1/connect/intentions/exact?source=web&destination=db&cas=7"
    assert (await secondary.api.put(exact, json={"Action": "deny"})).text == "true"
    assert (await secondary.api.delete(exact)).text == "true"


async def test_an_index_of_a_secondary_is_refused_by_the_primary(primary: Served) -> None:
    answer = await primary.api.put("/v1/config?dc=dc2&cas=7", json=DEFAULTS)
    assert answer.status_code == 400
    assert answer.text.startswith("Invalid cas: an index of dc2")


async def test_without_the_primary_nothing_is_written(primary: Served, secondary: Served) -> None:
    for each in (primary, secondary):
        each.relay.cut()
    await until(lambda: not secondary.datacenter.is_up("dc1"), "the link is down")
    for path in ("/v1/config", "/v1/config?cas=0"):
        answer = await secondary.api.put(path, json=DEFAULTS)
        assert answer.status_code == 503
        assert answer.text.startswith("nothing was written; ")
        assert "dc1" in answer.text
        assert "xdsmesh dc status dc1" in answer.text
    assert (await secondary.api.get("/v1/config/service-defaults/web")).status_code == 404


async def test_whoever_may_not_write_here_may_not_write_at_the_primary(
    primary: Served, secondary: Served
) -> None:
    made = await secondary.api.put("/v1/xdsmesh/tokens", json={"Service": "web"})
    headers = {"X-Consul-Token": made.json()["SecretID"]}
    answer = await secondary.api.put("/v1/config", json=DEFAULTS, headers=headers)
    assert answer.status_code == 403
    assert "needs one of an operator" in answer.text
    assert (await primary.api.get("/v1/config/service-defaults/web")).status_code == 404
    read = await secondary.api.get("/v1/catalog/nodes?dc=dc1", headers=headers)
    assert read.status_code == 200, "it may read, and dc1, which does not know the token, is not shown it"


async def test_a_write_in_a_secondary_may_wait_for_the_proxies_there(secondary: Served) -> None:
    answer = await secondary.api.put("/v1/config?wait-for-proxies=1s", json=DEFAULTS)
    assert answer.text == "true"
    (waited,) = answer.headers.get_list("X-Xdsmesh-Wait")
    assert json.loads(waited)["proxies"] == 0


async def test_what_has_no_effect_is_told_by_the_primary(secondary: Served) -> None:
    services = [{"Name": "web", "Consumers": [{"Peer": "far"}]}]
    entry = {"Kind": "exported-services", "Name": "default", "Services": services}
    answer = await secondary.api.put("/v1/config", json=entry)
    assert answer.text == "true"
    assert answer.headers.get_list("X-Xdsmesh-Warning")

import httpx
import pytest

from xdsmesh.catalog.repository import Repository
from xdsmesh.config.files import decode_entry
from xdsmesh.model.origin import Origin, Source

RESOLVER = {
    "Kind": "service-resolver",
    "Name": "admin",
    "DefaultSubset": "v1",
    "Subsets": {"v1": {"Filter": ""}},
}


async def test_an_entry_is_read_back_as_it_was_written(api: httpx.AsyncClient) -> None:
    answer = await api.put("/v1/config", json={**RESOLVER, "ConnectTimeout": "1m30s"})
    assert (answer.status_code, answer.json()) == (200, True)

    read = await api.get("/v1/config/service-resolver/admin")
    entry = read.json()
    assert read.headers["X-Consul-Index"] == str(entry["ModifyIndex"])
    assert (entry["Kind"], entry["Name"], entry["DefaultSubset"]) == ("service-resolver", "admin", "v1")
    assert entry["ConnectTimeout"] == "1m30s"
    assert set(entry["Subsets"]) == {"v1"}
    assert entry["CreateIndex"] == entry["ModifyIndex"] >= 1
    assert (await api.get("/v1/config/service-resolver")).json() == [entry]


async def test_an_entry_that_was_read_can_be_put_back(api: httpx.AsyncClient) -> None:
    await api.put("/v1/config", json=RESOLVER)
    entry = (await api.get("/v1/config/service-resolver/admin")).json()
    answer = await api.put("/v1/config", json=entry)
    assert (answer.status_code, answer.json()) == (200, True)
    assert (await api.get("/v1/config/service-resolver/admin")).json() == entry


async def test_the_content_type_does_not_matter(api: httpx.AsyncClient) -> None:
    body = b'{"kind": "service-defaults", "NAME": "web", "protocol": "http"}'
    for headers in (
        {},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "text/plain"},
    ):
        answer = await api.put("/v1/config", content=body, headers=headers)
        assert (answer.status_code, answer.json()) == (200, True)
    assert (await api.get("/v1/config/service-defaults/web")).json()["Protocol"] == "http"


async def test_lists_are_sorted_and_empty_ones_are_lists(api: httpx.AsyncClient) -> None:
    assert (await api.get("/v1/config/service-defaults")).json() == []
    for name in ("web", "admin"):
        await api.put("/v1/config", json={"Kind": "service-defaults", "Name": name, "Protocol": "http"})
    names = [entry["Name"] for entry in (await api.get("/v1/config/service-defaults")).json()]
    assert names == ["admin", "web"]


WARNING = "X-Xdsmesh-Warning"


async def test_what_will_have_no_effect_is_told_in_headers(api: httpx.AsyncClient) -> None:
    body = {
        **RESOLVER,
        "Redirect": {"Service": "other", "Peer": "cloud"},
        "Subsets": {"v1": {"Filter": 'Service.Foo == "é"'}},
    }
    for _ in range(2):  # also if it is there already
        answer = await api.put("/v1/config", json=body)
        assert (answer.status_code, answer.json()) == (200, True)
        first, second = answer.headers.get_list(WARNING)
        assert first.startswith('service-resolver/admin: subset "v1" gets no instances')
        assert "cloud" in second
    mesh = {"Kind": "mesh", "Peering": {"PeerThroughMeshGateways": True}}
    together = await api.put("/v1/xdsmesh/config", json=[body, mesh])
    assert len(together.headers.get_list(WARNING)) == 3
    fine = await api.put("/v1/config", json=RESOLVER)
    stale = await api.put("/v1/config?cas=1", json=body)
    assert (WARNING in fine.headers, WARNING in stale.headers) == (False, False)


async def test_of_very_many_warnings_the_first_are_told_in_plain_ascii(api: httpx.AsyncClient) -> None:
    filters = {f"v{number}": {"Filter": f'Service.Foo == "é{number}"'} for number in range(200)}
    filters["long"] = {"Filter": f"Service.{'x' * 2_000} == 1"}
    body = {"Kind": "service-resolver", "Name": "admin", "Subsets": filters}

    answer = await api.put("/v1/config", json=body)

    told = [value for name, value in answer.headers.raw if name.lower() == WARNING.lower().encode()]
    assert len(told) == 21
    assert told[-1] == b"there are 181 more warnings"
    assert all(len(line) < 600 and line.isascii() for line in told)


async def test_compare_and_set(api: httpx.AsyncClient) -> None:
    async def put(protocol: str, cas: int) -> bool:
        body = {"Kind": "service-defaults", "Name": "web", "Protocol": protocol}
        answer = await api.put(f"/v1/config?cas={cas}", json=body)
        assert answer.status_code == 200
        return answer.json() is True

    async def modified() -> int:
        return int((await api.get("/v1/config/service-defaults/web")).json()["ModifyIndex"])

    assert await put("http", 0)
    assert not await put("tcp", 0)
    first = await modified()
    assert await put("http2", first)
    assert not await put("tcp", first)
    assert (await api.delete(f"/v1/config/service-defaults/web?cas={first}")).json() is False
    assert (await api.delete(f"/v1/config/service-defaults/web?cas={await modified()}")).json() is True
    assert (await api.get("/v1/config/service-defaults/web")).status_code == 404


async def test_deletion_without_cas_answers_an_empty_object_also_twice(api: httpx.AsyncClient) -> None:
    await api.put("/v1/config", json=RESOLVER)
    for _ in range(2):
        answer = await api.delete("/v1/config/service-resolver/admin")
        assert (answer.status_code, answer.json()) == (200, {})
    assert (await api.get("/v1/config/service-resolver")).json() == []


async def test_a_missing_entry_is_told_in_the_words_that_clients_look_for(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/config/service-router/web")
    assert answer.status_code == 404
    assert answer.text.startswith("Config entry not found")
    assert "web" in answer.text


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_an_unknown_kind_is_refused_by_name(api: httpx.AsyncClient, method: str) -> None:
    answer = await api.request(method, "/v1/config/service-rooter/web")
    assert answer.status_code == 400
    assert "service-rooter" in answer.text
    assert "service-router" in answer.text
    assert (await api.get("/v1/config/service-rooter")).status_code == 400


@pytest.mark.parametrize("kind", ["bound-api-gateway", "sameness-group"])
async def test_kinds_that_nobody_can_write_can_be_read_and_are_empty(
    api: httpx.AsyncClient, kind: str
) -> None:
    assert (await api.get(f"/v1/config/{kind}")).json() == []
    assert (await api.get(f"/v1/config/{kind}/any")).status_code == 404
    assert (await api.put("/v1/config", json={"Kind": kind, "Name": "any"})).status_code == 400


async def test_refused_bodies_name_every_problem_and_change_nothing(api: httpx.AsyncClient) -> None:
    answer = await api.put(
        "/v1/config", json={"Kind": "service-defaults", "Name": "web", "Protocoll": "http", "Mtea": {}}
    )
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "Protocoll" in answer.text
    assert "Mtea" in answer.text
    assert (await api.put("/v1/config", content=b"{")).status_code == 400
    assert (await api.put("/v1/config", json={"Kind": "service-rooter", "Name": "web"})).status_code == 400
    assert (await api.put("/v1/config?cas=-1", json=RESOLVER)).status_code == 400
    assert (await api.put("/v1/config?cas=x", json=RESOLVER)).status_code == 400
    assert (await api.get("/v1/config/service-resolver")).json() == []


async def test_a_write_that_breaks_a_chain_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.put(
        "/v1/config", json={"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 100}]}
    )
    assert answer.status_code == 400
    assert "does not permit advanced routing" in answer.text
    assert (await api.get("/v1/config/service-splitter")).json() == []


async def test_an_entry_of_a_file_is_refused_to_the_api(
    api: httpx.AsyncClient, repository: Repository
) -> None:
    entry = decode_entry(b'{"Kind": "service-defaults", "Name": "web", "Protocol": "http"}')
    await repository.put_entry(entry, Origin(Source.FILE, "/etc/mesh/web.hcl", 7, 1))
    for answer in (
        await api.put("/v1/config", json={"Kind": "service-defaults", "Name": "web", "Protocol": "tcp"}),
        await api.delete("/v1/config/service-defaults/web"),
    ):
        assert answer.status_code == 409
        assert "/etc/mesh/web.hcl:7" in answer.text


SPLITTER = {"Kind": "service-splitter", "Name": "admin", "Splits": [{"Weight": 100, "ServiceSubset": "v1"}]}
HTTP = {"Kind": "service-defaults", "Name": "admin", "Protocol": "http"}


async def test_entries_that_need_each_other_are_written_together_in_any_order(api: httpx.AsyncClient) -> None:
    assert (await api.put("/v1/config", json=SPLITTER)).status_code == 400
    answer = await api.put("/v1/xdsmesh/config", json=[SPLITTER, RESOLVER, HTTP])
    assert (answer.status_code, answer.json()) == (200, True)
    written = [
        (await api.get(f"/v1/config/{each['Kind']}/admin")).json() for each in (SPLITTER, RESOLVER, HTTP)
    ]
    assert len({entry["ModifyIndex"] for entry in written}) == 1, "in one revision"


async def test_of_entries_written_together_one_that_is_refused_keeps_all_out(api: httpx.AsyncClient) -> None:
    wrong = {**SPLITTER, "Splits": [{"Weight": 100, "ServiceSubset": "v9"}]}
    answer = await api.put("/v1/xdsmesh/config", json=[HTTP, RESOLVER, wrong])
    assert answer.status_code == 400
    assert "v9" in answer.text
    for entry in (HTTP, RESOLVER, wrong):
        assert (await api.get(f"/v1/config/{entry['Kind']}/admin")).status_code == 404


async def test_entries_written_together_must_be_a_list(api: httpx.AsyncClient) -> None:
    answer = await api.put("/v1/xdsmesh/config", json=HTTP)
    assert answer.status_code == 400
    assert "a list of config entries is expected" in answer.text


async def test_what_is_deleted_has_a_name(api: httpx.AsyncClient) -> None:
    for path in ("/v1/config/service-defaults", "/v1/config/service-defaults/"):
        answer = await api.delete(path)
        assert answer.status_code == 404
        assert "service-defaults" in answer.text


@pytest.mark.parametrize("cas", ["x", "-1", "1.5", "0x10", "18446744073709551616", "%00", "%20"])
async def test_a_cas_that_is_no_index_is_refused(api: httpx.AsyncClient, cas: str) -> None:
    for answer in (
        await api.put(f"/v1/config?cas={cas}", json=HTTP),
        await api.delete(f"/v1/config/service-defaults/admin?cas={cas}"),
    ):
        assert answer.status_code == 400
        assert "Invalid cas" in answer.text
    assert (await api.put("/v1/config?cas=", json=HTTP)).text == "true"


async def test_service_defaults_can_be_filtered_and_nothing_else(api: httpx.AsyncClient) -> None:
    await api.put("/v1/config", json={**HTTP, "Meta": {"team": "a"}})
    await api.put("/v1/config", json={**HTTP, "Name": "web"})
    for text, names in (("Meta.team == a", ["admin"]), ("Name == web", ["web"]), ("", ["admin", "web"])):
        answer = await api.get("/v1/config/service-defaults", params={"filter": text})
        assert [entry["Name"] for entry in answer.json()] == names
    for kind, text, told in (
        ("service-defaults", "Team == a", "Team"),
        ("service-defaults", "Name ==", "column 8"),
        ("service-router", "Name == a", "only service-defaults"),
    ):
        refused = await api.get(f"/v1/config/{kind}", params={"filter": text})
        assert refused.status_code == 400
        assert told in refused.text


async def test_the_mesh_entry_has_no_name(api: httpx.AsyncClient) -> None:
    for body in ({"Kind": "mesh"}, {"Kind": "mesh", "Name": "mesh", "ValidateClusters": True}):
        assert (await api.put("/v1/config", json=body)).text == "true"
        entry = (await api.get("/v1/config/mesh/mesh")).json()
        assert "Name" not in entry
        assert (await api.get("/v1/config/mesh")).json() == [entry]
        assert (await api.put("/v1/config", json=entry)).text == "true"
    assert (await api.put("/v1/config", json={"Kind": "mesh", "Name": "other"})).status_code == 400


STRANGE = [
    b"",
    b" ",
    b"null",
    b"[]",
    b'[{"Kind": "mesh"}]',
    b'"mesh"',
    b"\xff",
    b'{"Kind": "mesh"} {"Kind": "mesh"}',
    b'{"Kind": "mesh", "Kind": "mesh"}',
    b'{"Kind": 1}',
    b'{"Kind": "mesh", "Meta": {"a": "\\u0000"}}',
    b'{"Kind": "mesh", "Meta": {"a": "\\ud800"}}',
    b'{"Kind": "service-defaults", "Name": "web", "MaxInboundConnections": NaN}',
    b'{"Kind": "service-defaults", "Name": "web", "MaxInboundConnections": 1e999999}',
    b'{"Kind": "service-defaults", "Name": "web", "MaxInboundConnections": ' + b"9" * 5000 + b"}",
    b'{"Kind": "proxy-defaults", "Config": {"x": 1e999999}}',
    b'{"Kind": "proxy-defaults", "Config": ' + b'{"x":' * 70 + b"1" + b"}" * 70 + b"}",
    b"[" * 500_000,
    b'Kind = "mesh"',
]


async def test_strange_bodies_are_refused_with_a_reason(api: httpx.AsyncClient) -> None:
    for body in STRANGE:
        for path in ("/v1/config", "/v1/xdsmesh/config"):
            answer = await api.put(path, content=body)
            if answer.text == "true":  # a list is what the second one takes
                assert path == "/v1/xdsmesh/config"
                assert body.startswith(b"[")
                continue
            assert answer.status_code == 400, body[:80]
            assert len(answer.text) > 20, body[:80]

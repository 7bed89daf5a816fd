import httpx

from xdsmesh.catalog.feed import Feed
from xdsmesh.catalog.registrations import Registrations
from xdsmesh.config.files import decode_service
from xdsmesh.model.origin import Origin, Source

WEB = {
    "ID": "web-1",
    "Name": "web",
    "Address": "127.0.0.7",
    "Port": 8080,
    "Tags": ["v1", "eu"],
    "Meta": {"version": "1"},
    "Connect": {
        "SidecarService": {
            "Port": 20007,
            "Proxy": {"Upstreams": [{"DestinationName": "admin", "LocalBindPort": 9001}]},
        }
    },
}


async def test_a_registered_service_is_listed_with_the_sidecar_it_asked_for(api: httpx.AsyncClient) -> None:
    answer = await api.put("/v1/agent/service/register", json=WEB)
    assert (answer.status_code, answer.content) == (200, b"")

    services = (await api.get("/v1/agent/services")).json()
    assert services.keys() == {"web-1", "web-1-sidecar-proxy"}
    web, sidecar = services["web-1"], services["web-1-sidecar-proxy"]
    assert (web["ID"], web["Service"], web["Address"], web["Port"]) == ("web-1", "web", "127.0.0.7", 8080)
    assert (web["Tags"], web["Meta"], web["Datacenter"]) == (["v1", "eu"], {"version": "1"}, "dc1")
    assert web["Weights"] == {"Passing": 1, "Warning": 1}
    assert "Proxy" not in web
    assert "Kind" not in web
    assert (sidecar["Kind"], sidecar["Service"], sidecar["Port"]) == (
        "connect-proxy",
        "web-sidecar-proxy",
        20007,
    )
    assert sidecar["Proxy"]["DestinationServiceName"] == "web"
    assert sidecar["Proxy"]["DestinationServiceID"] == "web-1"
    assert sidecar["Proxy"]["LocalServicePort"] == 8080
    assert [
        (upstream["DestinationType"], upstream["DestinationName"], upstream["LocalBindPort"])
        for upstream in sidecar["Proxy"]["Upstreams"]
    ] == [("service", "admin", 9001)]


async def test_the_content_hash_of_a_service_changes_with_it_and_only_then(api: httpx.AsyncClient) -> None:
    async def content_hash() -> str:
        answer = await api.get("/v1/agent/service/web-1")
        assert answer.headers["X-Consul-ContentHash"] == answer.json()["ContentHash"]
        return answer.headers["X-Consul-ContentHash"]

    await api.put("/v1/agent/service/register", json=WEB)
    first = await content_hash()
    await api.put("/v1/agent/service/register", json=WEB)
    assert await content_hash() == first
    await api.put("/v1/agent/service/register", json={**WEB, "Port": 8081})
    assert await content_hash() != first


async def test_deregistration_takes_the_sidecar_along(api: httpx.AsyncClient) -> None:
    await api.put("/v1/agent/service/register", json=WEB)
    answer = await api.put("/v1/agent/service/deregister/web-1")
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await api.get("/v1/agent/services")).json() == {}


async def test_unknown_ids_are_answered_in_the_words_that_clients_look_for(api: httpx.AsyncClient) -> None:
    gone = await api.put("/v1/agent/service/deregister/nobody")
    assert gone.status_code == 404
    assert "Unknown service ID" in gone.text
    assert "nobody" in gone.text
    missing = await api.get("/v1/agent/service/nobody")
    assert missing.status_code == 404
    assert "unknown service ID" in missing.text


async def test_ids_are_taken_from_the_path_verbatim(api: httpx.AsyncClient) -> None:
    ids = ("host:web:8080", "a/b", "a//b", "a/", "ü 1", "deregister", "50%25")
    for service_id in ids:
        answer = await api.put("/v1/agent/service/register", json={"ID": service_id, "Name": "web"})
        assert answer.status_code == 200, answer.text
    assert set((await api.get("/v1/agent/services")).json()) == set(ids)

    for raw in ("host:web:8080", "a/b", "a%2F%2Fb", "a/", "%C3%BC%201", "deregister", "50%2525"):
        answer = await api.put(f"/v1/agent/service/deregister/{raw}")
        assert answer.status_code == 200, answer.text
    assert (await api.get("/v1/agent/services")).json() == {}


async def test_what_a_file_declares_is_not_changed_through_the_api(
    api: httpx.AsyncClient, registrations: Registrations
) -> None:
    definition = decode_service(b'{"ID": "web-1", "Name": "web"}')
    await registrations.register(definition, Origin(Source.FILE, "/etc/mesh/web.hcl", 3, 1))
    for answer in (
        await api.put("/v1/agent/service/register", json={"ID": "web-1", "Name": "web", "Port": 1}),
        await api.put("/v1/agent/service/deregister/web-1"),
    ):
        assert answer.status_code == 409
        assert "/etc/mesh/web.hcl:3" in answer.text


async def test_the_author_of_a_write_is_the_clients_address(api: httpx.AsyncClient, feed: Feed) -> None:
    await api.put("/v1/agent/service/register", json={"Name": "web"})
    await feed.catch_up()
    (stored,) = feed.view.instances_with("web")
    assert stored.origin == Origin(Source.API, "127.0.0.1")


async def test_all_mistakes_of_a_body_are_told_at_once(api: httpx.AsyncClient) -> None:
    answer = await api.put("/v1/agent/service/register", json={"Name": "web", "Prot": 80, "Tegs": []})
    assert answer.status_code == 400
    assert len(answer.text.splitlines()) == 2
    assert "Prot" in answer.text
    assert "Tegs" in answer.text
    broken = await api.put("/v1/agent/service/register", content=b'{"Name": ')
    assert broken.status_code == 400
    assert (await api.get("/v1/agent/services")).json() == {}


async def test_the_server_describes_itself_two_levels_deep(api: httpx.AsyncClient) -> None:
    about = (await api.get("/v1/agent/self")).json()
    assert all(isinstance(part, dict) for part in about.values())
    assert {"Config", "DebugConfig", "Coord", "Member", "Stats", "Meta", "xDS"} <= about.keys()
    assert about["Config"]["Datacenter"] == "dc1"
    assert about["Config"]["NodeName"] == "n1"
    assert about["Config"]["Version"] == "1.22.0+xdsmesh.0.1.0"
    assert about["xDS"]["Ports"] == {"Plaintext": 18502, "TLS": -1}
    assert about["xDS"]["SupportedProxies"] == {"envoy": ["1.40.0"]}

import httpx
from prometheus_client.parser import text_string_to_metric_families

CHECK = {"Name": "alive", "TTL": "1h", "Status": "warning"}


async def fill(api: httpx.AsyncClient) -> None:
    await api.put("/v1/agent/service/register", json={"Name": "web", "Check": CHECK})
    await api.put("/v1/config", json={"Kind": "service-defaults", "Name": "web"})


async def test_figures_are_told_as_json(api: httpx.AsyncClient) -> None:
    await fill(api)
    answer = (await api.get("/v1/agent/metrics")).json()
    gauges = {(each["Name"], *each.get("Labels", {}).values()): each["Value"] for each in answer["Gauges"]}
    assert gauges["xdsmesh_instances", "service"] == 2, "web and the server itself"
    assert gauges["xdsmesh_checks", "warning"] == 1
    assert gauges["xdsmesh_config_entries", "service-defaults"] == 1
    assert gauges["xdsmesh_proxies_connected",] == 0
    assert answer["Points"] == answer["Samples"] == []


async def test_prometheus_reads_them(api: httpx.AsyncClient) -> None:
    await fill(api)
    answer = await api.get("/v1/agent/metrics?format=prometheus")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert names >= {"xdsmesh_revision", "xdsmesh_checks", "process_resident_memory_bytes"}


async def test_another_format_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/agent/metrics?format=xml")
    assert (answer.status_code, answer.text) == (400, "Invalid format: 'xml' is neither json nor prometheus")

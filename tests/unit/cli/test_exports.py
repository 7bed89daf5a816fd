"""``xdsmesh services export`` and ``register`` with flags, against the real HTTP API."""

import json
from collections.abc import Awaitable, Callable, Iterator

import pytest
from structlog.testing import capture_logs
from typer.testing import Result

Call = Callable[..., Awaitable[Result]]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The server is in the same process; what it logs is not what the command prints."""
    with capture_logs():
        yield


async def done(running: Awaitable[Result]) -> Result:
    """The result of a command that did what it should."""
    result = await running
    assert (result.exit_code, result.exception) == (0, None)
    return result


async def test_services_are_exported_beside_what_is_exported_already(call: Call) -> None:
    assert (await done(call("services", "exported-services"))).stdout == "No service is exported.\n"
    first = await done(call("services", "export", "-name", "web", "-consumer-peers", "west,east"))
    assert first.stdout == "Exported service: web to west, east\n"
    assert "services are not exported yet" in first.stderr
    await done(call("services", "export", "-name", "db", "-consumer-peers", "east", "--wait"))
    await done(call("services", "export", "-name", "web", "-consumer-peers", "east, north"))
    table = (await done(call("services", "exported-services"))).stdout.splitlines()
    assert [line.split(maxsplit=1) for line in table] == [
        ["SERVICE", "CONSUMER PEERS"],
        ["db", "east"],
        ["web", "east, north, west"],
    ]
    shown = json.loads((await done(call("services", "exported-services", "-format", "json"))).stdout)
    assert [each["Name"] for each in shown] == ["db", "web"]
    entry = json.loads((await done(call("config", "read", "exported-services/default"))).stdout)
    assert entry["Services"] == shown


async def test_a_service_is_registered_from_all_of_its_flags(call: Call) -> None:
    flags = (
        *("-name", "mesh", "-id", "mesh-1", "-kind", "mesh-gateway", "-address", "10.0.0.1", "-port", "8443"),
        *("-tagged-address", "wan=203.0.113.7:443", "-tagged-address", "lan=[fd00::1]:8443"),
        *("-meta", "version=2", "-tag", "edge"),
    )
    assert (await done(call("services", "register", *flags))).stdout == "Registered service: mesh\n"
    shown = json.loads((await done(call("services", "list", "-format", "json"))).stdout)["mesh-1"]
    assert (shown["Kind"], shown["Port"], shown["Tags"]) == ("mesh-gateway", 8443, ["edge"])
    table = (await done(call("services", "list"))).stdout.splitlines()
    assert table[1].split() == [
        "mesh-1",
        "mesh",
        "mesh-gateway",
        "passing",
        "10.0.0.1:8443",
        "edge",
        "version=2",
    ]


@pytest.mark.parametrize("given", ["wan", "wan=", "wan=host", "wan=:80", "wan=host:web", "=h:1"])
async def test_a_tagged_address_that_is_none_is_wrong_usage(call: Call, given: str) -> None:
    result = await call("services", "register", "-name", "web", "-tagged-address", given)
    assert result.exit_code == 2
    assert "wan=203.0.113.7:8080" in result.stderr

"""``xdsmesh dc status`` and ``members --wan`` over links that are real: what is wrong, and what to do."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from tests.feature.federation.conftest import until
from xdsmesh.catalog import keys
from xdsmesh.cli import app
from xdsmesh.federation.store_id import ORIGIN
from xdsmesh.store.base import Txn

if TYPE_CHECKING:
    from tests.feature.federation.api.conftest import Served
    from tests.feature.federation.conftest import Mesh


Json = dict[str, Any]


async def run(served: Served, *arguments: str) -> Result:
    """A command against the API of a datacenter."""
    env = {"XDSMESH_HTTP_ADDR": str(served.api.base_url), "COLUMNS": "200", "TERM": "dumb"}
    return await asyncio.to_thread(CliRunner().invoke, app, arguments, env=env)


async def troubles(served: Served, of: str) -> list[Json]:
    """What is wrong with a datacenter, as another one sees it."""
    answer = json.loads((await run(served, "dc", "status", of, "-format", "json")).stdout)
    found: list[Json] = answer[0]["troubles"]
    return found


async def forget_own_gateway(served: Served) -> None:
    """Let there be no way but the gateways of the other one."""
    key = keys.instance_key(served.parts.repository.node.name, "mesh-gateway")
    await served.datacenter.store.commit(Txn(deletes=(key,)), ORIGIN)


async def test_all_datacenters_are_shown_with_their_links_and_gateways(
    primary: Served, secondary: Served
) -> None:
    await secondary.datacenter.register("db")
    remote = primary.parts.feed.view.remote
    await until(lambda: remote.services_of("dc2") and "dc2" in remote.gateways, "dc2 is known")
    result = await run(primary, "dc", "status")
    assert (result.exit_code, result.stderr) == (0, ""), result.stdout
    shown = [line.split() for line in result.stdout.splitlines()]
    assert shown[1][:3] == ["dc1", "primary", "here"]
    assert shown[2][:3] == ["dc2", "secondary", "up"]
    assert ["mesh-gateway", "dc2", f"127.0.0.1:{secondary.relay.port}", "healthy"] in shown
    assert "Problem" not in result.stdout
    (one,) = json.loads((await run(primary, "dc", "status", "dc2", "-format", "json")).stdout)
    assert (one["services"], one["default_intention_policy"], one["link"]["state"]) == (1, "allow", "up")
    unknown = await run(primary, "dc", "status", "dc9")
    assert unknown.exit_code == 1
    assert str(unknown.exception) == "no datacenter is called 'dc9': there is dc1, dc2"


async def test_a_gateway_that_does_not_listen_is_a_problem_of_the_address(
    primary: Served, secondary: Served, mesh: Mesh
) -> None:
    await forget_own_gateway(primary)
    await secondary.relay.close()
    await until(lambda: not primary.datacenter.is_up("dc2"), "the link is down")
    result = await run(primary, "dc", "status", "dc2")
    assert result.exit_code == 1
    assert f"Problem (address): the mesh gateway of dc2 at 127.0.0.1:{secondary.relay.port}" in result.stdout
    assert "why: connection refused" in result.stdout
    assert "what to do: start it, let the network lead there" in result.stdout
    (own,) = await troubles(primary, "dc1")
    assert (own["category"], own["what"]) == ("address", "no mesh gateway of dc1 is known")
    mesh.relays.pop("dc2")


async def test_a_control_plane_that_is_not_behind_its_gateway_is_a_problem_of_the_name(
    primary: Served, secondary: Served
) -> None:
    await forget_own_gateway(primary)
    await secondary.parts.federation.stop(0)
    await until(lambda: not primary.datacenter.is_up("dc2"), "the link is down")
    (trouble,) = await troubles(primary, "dc2")
    assert (trouble["category"], trouble["stops"]) == ("SNI", True)
    assert "does not lead to server.dc2.consul" in trouble["what"]
    assert "the control plane runs" in trouble["remedy"]


async def test_a_member_that_was_removed_is_told_that_it_is_none(primary: Served, secondary: Served) -> None:
    await forget_own_gateway(secondary)
    gone = Txn(deletes=(keys.shared_key(f"{keys.MEMBER}dc2"),))
    await primary.datacenter.store.commit(gone, ORIGIN)
    await until(lambda: not secondary.datacenter.is_up("dc1"), "the link is down")
    await until(lambda: "member" in secondary.datacenter.link("dc1").error, "the reason is told")
    found = await troubles(secondary, "dc1")
    assert ("trust", True) in [(each["category"], each["stops"]) for each in found]
    (trouble,) = (each for each in found if each["category"] == "trust")
    assert "the control plane of dc1 is reached" in trouble["what"]
    assert "does not know datacenter dc2 as a member" in trouble["why"]
    assert "xdsmesh dc join" in trouble["remedy"]


@pytest.mark.usefixtures("secondary")
async def test_calls_that_would_be_denied_there_are_notes(primary: Served) -> None:
    resolver = {"Kind": "service-resolver", "Name": "db", "Redirect": {"Datacenter": "dc2"}}
    await primary.datacenter.entry(resolver)
    sidecar = {"Proxy": {"Upstreams": [{"DestinationName": "db", "LocalBindPort": 9000}]}}
    await primary.datacenter.register("web", Connect={"SidecarService": sidecar})
    exact = "/v1/connect/intentions/exact?source=web&destination=db"
    assert (await primary.api.put(exact, json={"Action": "deny"})).status_code == 200
    result = await run(primary, "dc", "status")
    assert result.exit_code == 0, "it is said on purpose, and stops nothing else"
    assert "Note (intention): web calls db in dc2, and is denied" in result.stdout
    assert "why: web => db is denied by the intention web => db" in result.stdout
    assert "Note (address): web calls db in dc2, where no instance of it can take calls" in result.stdout


@pytest.mark.usefixtures("secondary")
async def test_calls_to_a_datacenter_that_there_is_not_are_notes(primary: Served) -> None:
    upstream = {"DestinationName": "db", "Datacenter": "DC2", "LocalBindPort": 9000}
    sidecar = {"Proxy": {"Upstreams": [upstream]}}
    await primary.datacenter.register("web", Connect={"SidecarService": sidecar})
    result = await run(primary, "dc", "status")
    assert result.exit_code == 0, "nothing else is stopped"
    assert "Note (address): web calls db in DC2, and no datacenter is called so" in result.stdout
    assert "why: there is dc1, dc2" in result.stdout


async def test_calls_without_a_mode_of_gateways_are_notes_until_one_is_set(
    primary: Served, secondary: Served
) -> None:
    await secondary.datacenter.register("db")
    upstream = {"DestinationName": "db", "Datacenter": "dc2", "LocalBindPort": 9000}
    sidecar = {"Proxy": {"Upstreams": [upstream]}}
    await primary.datacenter.register("web", Connect={"SidecarService": sidecar})
    await until(lambda: primary.parts.feed.view.remote.services_of("dc2"), "db is known")
    said = "web calls db in dc2, without a mesh gateway"
    assert said in [each["what"] for each in await troubles(primary, "dc2")]
    for kind, name in (("proxy-defaults", "global"), ("service-defaults", "web"), ("service-defaults", "db")):
        entry = {"Kind": kind, "Name": name, "MeshGateway": {"Mode": "none"}}
        await primary.datacenter.entry(entry)
        assert said not in [each["what"] for each in await troubles(primary, "dc2")], kind
        (await primary.api.delete(f"/v1/config/{kind}/{name}")).raise_for_status()
    assert said in [each["what"] for each in await troubles(primary, "dc2")]


async def test_calls_to_a_service_whose_name_is_anothers_in_upper_case_are_notes(
    primary: Served, secondary: Served
) -> None:
    for name in ("db", "DB"):
        await secondary.datacenter.register(name)
    upstream = {"DestinationName": "DB", "Datacenter": "dc2", "LocalBindPort": 9000}
    await primary.datacenter.register("web", Connect={"SidecarService": {"Proxy": {"Upstreams": [upstream]}}})
    remote = primary.parts.feed.view.remote
    await until(lambda: len(remote.services_of("dc2")) == 2, "both are known")
    found = [each["what"] for each in await troubles(primary, "dc2")]
    assert "web calls DB in dc2, and gateways lead to db instead" in found


async def test_members_of_all_datacenters_are_alive_while_they_are_heard(
    primary: Served, secondary: Served
) -> None:
    await until(lambda: "dc2" in primary.parts.feed.view.remote.servers, "dc2 is known")
    shown = (await run(primary, "members", "--wan")).stdout.splitlines()
    assert [line.split()[0] for line in shown[1:]] == ["node-dc1.dc1", "node-dc2.dc2"]
    assert [line.split()[2] for line in shown[1:]] == ["alive", "alive"]
    here = (await run(primary, "members")).stdout.splitlines()
    assert [line.split()[0] for line in here[1:]] == ["node-dc1"]
    for each in (primary, secondary):
        each.relay.cut()
    await until(lambda: not primary.datacenter.is_up("dc2"), "the link is down")
    failed = (await run(primary, "members", "--wan", "--status", "failed")).stdout
    assert "node-dc2.dc2" in failed
    assert "node-dc1" not in failed


async def test_commands_read_of_another_datacenter(primary: Served, secondary: Served) -> None:
    await secondary.datacenter.register("db")
    listed = await run(primary, "catalog", "services", "-datacenter", "dc2")
    assert "db-sidecar-proxy" in listed.stdout.split()
    assert "db" not in (await run(primary, "catalog", "services")).stdout.split()
    assert (await run(primary, "catalog", "datacenters")).stdout.split() == ["dc1", "dc2"]
    written = await run(secondary, "intention", "create", "-deny", "web", "db")
    assert written.exit_code == 0, written.stderr
    for each in (primary, secondary):
        assert "deny" in (await run(each, "intention", "list")).stdout

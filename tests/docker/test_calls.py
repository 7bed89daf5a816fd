"""What `docker compose up` brings: calls are routed, split, allowed and denied, and cross by gateways."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import pytest

from tests.docker.load import Load
from tests.docker.mesh import BY_GATEWAYS, DENIED, EVERYTHING, PROXIES

if TYPE_CHECKING:
    from tests.docker.mesh import Mesh

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

SPLITTER: Final = "dc1/admin-splitter.hcl"
INTENTIONS: Final = "dc1/db-intentions.hcl"


def test_a_mesh_is_there_from_nothing_and_every_proxy_is_connected(mesh: Mesh) -> None:
    assert mesh.get("/").json() == {"service": "web", "path": "/"}
    for datacenter, proxies in PROXIES.items():
        assert mesh.connected(datacenter) == proxies


def test_a_second_up_starts_nothing_anew_and_makes_no_second_token(mesh: Mesh) -> None:
    def tokens() -> object:
        return [mesh.control(datacenter, "token", "list") for datacenter in PROXIES]

    def started() -> dict[str, str]:
        running = (each for each in mesh.containers().items() if each[1].status == "running")
        return {service: container.attrs["State"]["StartedAt"] for service, container in running}

    tokens_before, started_before = tokens(), started()
    mesh.up()
    assert tokens() == tokens_before
    assert started() == started_before


def versions(mesh: Mesh, calls: int) -> Counter[str]:
    return Counter(mesh.get("/admin").json()["version"] for _ in range(calls))


def test_one_in_ten_calls_goes_to_v2_until_a_person_edits_the_splitter(mesh: Mesh) -> None:
    seen = versions(mesh, 400)
    assert 15 <= seen["v2"] <= 75, seen
    assert seen["v1"] + seen["v2"] == 400
    mesh.edit(SPLITTER, "= 90", "= 0")
    mesh.edit(SPLITTER, "= 10", "= 100")
    try:
        mesh.wait(lambda: versions(mesh, 20)["v2"] == 20, "all calls went to v2")
    finally:
        mesh.edit(SPLITTER, "= 0\n", "= 90\n")
        mesh.edit(SPLITTER, "= 100", "= 10")
    mesh.wait(lambda: versions(mesh, 20)["v1"] > 0, "calls went to v1 again")


def test_a_file_that_is_wrong_changes_nothing_and_the_log_says_where(mesh: Mesh) -> None:
    mesh.edit(SPLITTER, "Weight        = 90", "Wieght        = 90")
    try:
        log = mesh.container("dc1-control-plane").logs
        mesh.wait(lambda: b"/mesh/admin-splitter.hcl:5" in log(), "the log named the file and line")
        assert mesh.get("/admin").status_code == 200
    finally:
        mesh.edit(SPLITTER, "Wieght", "Weight")


def test_web_is_denied_at_db_and_told_so_until_an_intention_allows_it(mesh: Mesh) -> None:
    denied = mesh.get(DENIED)
    assert denied.status_code == 403
    assert "denied" in denied.json()["called"]
    mesh.edit(INTENTIONS, '"deny"', '"allow" # was denied')
    try:
        mesh.wait(lambda: mesh.status(DENIED) == 200, "web was let in")
    finally:
        mesh.edit(INTENTIONS, '"allow" # was denied', '"deny"')
    mesh.wait(lambda: mesh.status(DENIED) == 403, "web was kept out")


def test_calls_to_the_other_datacenter_cross_both_gateways(mesh: Mesh) -> None:
    def connections(gateway: str) -> int:
        stats = mesh.admin(gateway, "/stats?filter=cluster.*dc2.internal.*upstream_cx_total").split()
        return sum(int(each) for each in stats if each.isdigit())

    assert mesh.get(BY_GATEWAYS).json()["called"]["called"]["service"] == "db"
    assert connections("dc1-mesh-gateway")
    assert connections("dc2-mesh-gateway")


def test_dc1_reaches_nothing_of_dc2_but_its_gateway_from_the_gateway(mesh: Mesh) -> None:
    db, db_app, control, lan, wan = (
        ("10.72.0.50", 21000),
        ("10.72.50.3", 8080),
        ("10.72.0.2", 8503),
        ("10.72.0.5", 8443),
        ("10.70.0.21", 8443),
    )
    assert mesh.reaches("dc2-mesh-gateway", *db)
    assert mesh.reaches("dc2-mesh-gateway", *control)
    assert mesh.reaches("dc1-mesh-gateway", *wan)
    attempts = [("dc1-mesh-gateway", *place) for place in (db, db_app, control, lan)]
    attempts += [("web-envoy", *place) for place in (db, db_app, control, lan, wan)]
    with ThreadPoolExecutor(len(attempts)) as pool:  # each of them takes as long as it may
        reached = pool.map(lambda attempt: mesh.reaches(*attempt), attempts)
        assert not any(reached), attempts


def test_an_application_is_reached_by_its_own_sidecar_alone(mesh: Mesh) -> None:
    application = ("10.71.30.3", 8080)
    assert mesh.reaches("api-envoy", *application)
    assert not mesh.reaches("web-envoy", *application)
    assert not mesh.reaches("dc1-mesh-gateway", *application)


def test_no_call_fails_while_the_root_is_rotated_and_proxies_come_back_by_the_new_one(mesh: Mesh) -> None:
    with Load(mesh, EVERYTHING) as load:
        load.goes_on(20)
        code, said = mesh.run("dc1-control-plane", "xdsmesh", "ca", "rotate")
        assert code == 0, said
        load.goes_on(40)
    assert load.failed == []
    # The proxies of dc2 have to connect anew as well: they are not started again, and have followed the file.
    for service in ("admin-v2-envoy", "dc2-mesh-gateway", "dc2-control-plane"):
        mesh.container(service).restart(timeout=20)
    mesh.heals("a rotation")


def test_containers_have_no_rights_and_write_nowhere_but_in_their_volumes(mesh: Mesh) -> None:
    for service, container in mesh.containers().items():
        host = container.attrs["HostConfig"]
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        if container.status == "running":
            assert mesh.run(service, "sh", "-c", "id -u")[1].strip() in ("101", "1000"), service


def test_what_runs_has_limits_a_health_check_and_comes_back_by_itself(mesh: Mesh) -> None:
    running = {name: each for name, each in mesh.containers().items() if each.status == "running"}
    assert len(running) == 15
    for service, container in running.items():
        host = container.attrs["HostConfig"]
        assert host["Memory"], service
        assert host["NanoCpus"], service
        assert host["PidsLimit"], service
        assert host["RestartPolicy"]["Name"] == "unless-stopped", service
        assert container.attrs["State"]["Health"]["Status"] == "healthy", service

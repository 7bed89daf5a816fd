"""The two datacenters of the demo."""

from pathlib import Path

import pytest

from xdsmesh.demo.datacenters.layout import (
    DC1,
    DC2,
    GATEWAY_1,
    GATEWAY_2,
    INTENTIONS,
    TAP_HOST,
    keep_web_out,
    let_web_in,
)
from xdsmesh.demo.layout import Mesh, write_config
from xdsmesh.demo.network import Network

NETWORK = Network("127.77.7", 8500, 8502, 8080, 21000, 9191, 19000, 9192, 8443, 8300)


@pytest.mark.parametrize("mesh", [DC1, DC2])
def test_every_instance_is_registered_at_its_address_in_its_datacenter(mesh: Mesh, tmp_path: Path) -> None:
    write_config(tmp_path, NETWORK, mesh)

    registered = [file.name for file in tmp_path.iterdir() if "service {" in file.read_text()]
    assert sorted(registered) == sorted(f"{each.service}.hcl" for each in mesh.instances)
    for instance in mesh.instances:
        text = (tmp_path / f"{instance.service}.hcl").read_text()
        assert f'id      = "{instance.id}"' in text
        assert f'address = "{NETWORK.host(instance.host)}"' in text


def test_config_entries_are_written_in_the_primary_alone(tmp_path: Path) -> None:
    write_config(tmp_path, NETWORK, DC2)

    assert not [file for file in tmp_path.iterdir() if "Kind" in file.read_text()]


def test_nobody_has_the_address_of_another() -> None:
    hosts = [each.host for mesh in (DC1, DC2) for each in mesh.instances]
    hosts += [mesh.server_host for mesh in (DC1, DC2)]
    hosts += [host for each in (GATEWAY_1, GATEWAY_2) for host in (each.host, each.wan_host)]

    assert len({*hosts, TAP_HOST}) == len(hosts) + 1


def test_web_is_let_in_and_kept_out_again(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    write_config(config, NETWORK, DC1)
    before = (config / INTENTIONS).read_text()

    let_web_in(config)

    assert "deny" in before
    assert '"deny"' not in (config / INTENTIONS).read_text()
    keep_web_out(config)
    assert (config / INTENTIONS).read_text() == before

"""The mesh of the demo of identities."""

from pathlib import Path

import pytest

from xdsmesh.demo.identity.layout import IDENTITY_MESH, INTENTIONS, loosen, tighten
from xdsmesh.demo.layout import write_config
from xdsmesh.demo.network import Network

NETWORK = Network("127.77.7", 8500, 8502, 8080, 21000, 9191, 19000, 9192, 8443, 8300)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    write_config(folder, NETWORK, IDENTITY_MESH)
    return folder


def test_every_instance_is_registered_at_its_address(config: Path) -> None:
    for instance in IDENTITY_MESH.instances:
        text = (config / f"{instance.service}.hcl").read_text()
        assert f'id      = "{instance.id}"' in text
        assert f'address = "{NETWORK.host(instance.host)}"' in text


def test_what_is_tightened_allows_nothing_and_can_be_loosened(config: Path) -> None:
    before = (config / INTENTIONS).read_text()

    tighten(config)

    assert "allow" in before
    assert "allow" not in (config / INTENTIONS).read_text()
    loosen(config, before)
    assert (config / INTENTIONS).read_text() == before

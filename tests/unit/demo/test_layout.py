"""The demo's config files."""

from pathlib import Path

from xdsmesh.demo.layout import INSTANCES, shift_split, write_config
from xdsmesh.demo.network import Network

NETWORK = Network("127.77.7", 8500, 8502, 8080, 21000, 9191, 19000, 9192, 8443, 8300)


def test_every_instance_is_registered_at_its_address(tmp_path: Path) -> None:
    write_config(tmp_path, NETWORK)

    texts = [file.read_text() for file in tmp_path.iterdir()]
    for instance in INSTANCES:
        mine = [text for text in texts if f'"{instance.id}"' in text]
        assert len(mine) == 1
        assert f'address = "{NETWORK.host(instance.host)}"' in mine[0]
        assert f'name    = "{instance.service}"' in mine[0]
        assert (f'version = "{instance.version.removeprefix("v")}"' in mine[0]) == bool(instance.version)


def test_the_shift_leaves_one_whole_file_with_both_shares_equal(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    write_config(config, NETWORK)
    before = {file.name for file in config.iterdir()}

    shift_split(config)

    assert (config / "admin-splitter.hcl").read_text().count("Weight = 50") == 2
    assert {file.name for file in config.iterdir()} == before

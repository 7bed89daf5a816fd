import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from xdsmesh.bootstrap import HostPort, ServerTrust, find_envoy, make_bootstrap

LOCAL = HostPort("127.0.0.1", 8502)
WRITTEN = Path(__file__).parents[3] / "envoy-bootstrap"
SIDECAR = WRITTEN / "sidecar.yaml"


def control_plane(bootstrap: dict[str, Any]) -> dict[str, Any]:
    [cluster] = bootstrap["static_resources"]["clusters"]
    assert isinstance(cluster, dict)
    return cluster


def validate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [find_envoy(), "--mode", "validate", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_hand_written_sidecar_is_what_we_generate() -> None:
    written = yaml.safe_load(SIDECAR.read_text(encoding="utf-8"))
    # The one thing that the command line adds to the file.
    node = {"id": "web-1-sidecar-proxy", "cluster": "web"}
    assert {**written, "node": node} == make_bootstrap("web-1-sidecar-proxy", "web", LOCAL)


def test_the_hand_written_gateway_is_what_we_generate() -> None:
    written = yaml.safe_load((WRITTEN / "mesh-gateway.yaml").read_text(encoding="utf-8"))
    node = {"id": "gateway-1", "cluster": "gateway"}
    assert {**written, "node": node} == make_bootstrap("gateway-1", "gateway", LOCAL)


def test_the_hand_written_sidecar_for_tls_is_what_we_generate() -> None:
    written = yaml.safe_load((WRITTEN / "sidecar-tls.yaml").read_text(encoding="utf-8"))
    secret = yaml.safe_load((WRITTEN / "control-plane-ca.yaml").read_text(encoding="utf-8"))
    trust = ServerTrust.of("dc1", Path("/etc/xdsmesh/roots.pem"))
    xds, socket = HostPort("127.0.0.1", 8503), trust.transport_socket("/etc/xdsmesh/control-plane-ca.yaml")
    made = make_bootstrap("web-1-sidecar-proxy", "web", xds, transport_socket=socket)
    assert {**written, "node": {"id": "web-1-sidecar-proxy", "cluster": "web"}} == made
    assert secret == trust.secret()


def test_the_hand_written_one_for_containers_is_what_we_generate() -> None:
    written = yaml.safe_load((WRITTEN / "container.yaml").read_text(encoding="utf-8"))
    trust = ServerTrust("control-plane", Path("/etc/xdsmesh/roots.pem"))
    made = make_bootstrap(
        "web-1-sidecar-proxy",
        "web",
        HostPort("control-plane", 8503),
        HostPort("127.0.0.1", 9901),
        Path("/run/xdsmesh/token"),
        transport_socket=trust.transport_socket("/etc/envoy-bootstrap/control-plane-ca.yaml"),
    )
    assert {**written, "node": {"id": "web-1-sidecar-proxy", "cluster": "web"}} == made


def test_no_admin_port_is_open_unless_asked_for() -> None:
    assert "admin" not in make_bootstrap("web-1-sidecar-proxy", "web", LOCAL)
    with_admin = make_bootstrap("web-1-sidecar-proxy", "web", LOCAL, HostPort("127.0.0.1", 19000))
    assert with_admin["admin"] == {
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 19000}}
    }


def test_a_control_plane_that_is_back_is_dialled_within_seconds() -> None:
    [service] = make_bootstrap("p", "s", LOCAL)["dynamic_resources"]["ads_config"]["grpc_services"]
    pauses = service["envoy_grpc"]["retry_policy"]["retry_back_off"]
    assert pauses == {"base_interval": "0.5s", "max_interval": "5s"}


def test_a_name_is_resolved_by_envoy_and_an_address_is_not() -> None:
    assert control_plane(make_bootstrap("p", "s", LOCAL))["type"] == "STATIC"
    assert control_plane(make_bootstrap("p", "s", HostPort("::1", 8502)))["type"] == "STATIC"
    assert control_plane(make_bootstrap("p", "s", HostPort("mesh.example", 8502)))["type"] == "STRICT_DNS"


def test_a_token_stands_in_no_bootstrap_and_its_file_is_found_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web.token").write_text("secret-of-mine\n")
    made = json.dumps(make_bootstrap("p", "s", LOCAL, token_file=Path("web.token")))
    assert str(tmp_path / "web.token") in made
    assert "secret-of-mine" not in made
    assert "initial_metadata" not in made


@pytest.mark.envoy
def test_envoy_accepts_the_hand_written_sidecar() -> None:
    result = validate("-c", str(SIDECAR), "--service-node", "web-1-sidecar-proxy", "--service-cluster", "web")
    assert result.returncode == 0, result.stderr


@pytest.mark.envoy
@pytest.mark.parametrize("xds", ["127.0.0.1:8502", "[::1]:8502", "mesh.example:8502"])
@pytest.mark.parametrize(
    "admin", [None, HostPort("127.0.0.1", 0), HostPort("::1", 19000), Path("/run/admin.sock")]
)
def test_envoy_accepts_what_we_generate(xds: str, admin: HostPort | Path | None, tmp_path: Path) -> None:
    bootstrap = make_bootstrap("web-1", "web", HostPort.parse(xds), admin)
    file = tmp_path / "bootstrap.json"
    file.write_text(json.dumps(bootstrap), encoding="utf-8")
    result = validate("-c", str(file))
    assert result.returncode == 0, result.stderr
    assert "deprecated" not in result.stderr.lower()

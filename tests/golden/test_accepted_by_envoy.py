"""Stock Envoy accepts the resources of each case.

``--mode validate`` opens no connection, so nothing can come over xDS: routes, endpoints and secrets are put
where they would be asked for. Then Envoy checks them all, and that every cluster that is named exists.
"""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from xdsmesh.bootstrap.envoy import find_envoy

if TYPE_CHECKING:
    from pathlib import Path

    Decoded = dict[str, list[dict[str, Any]]]

pytestmark = pytest.mark.envoy


def test_envoy_accepts_the_resources(decoded: Decoded, secrets: list[dict[str, Any]], tmp_path: Path) -> None:
    assignments = {each["clusterName"]: each for each in decoded["endpoints"]}
    routes = {each["name"]: each for each in decoded["routes"]}
    static = {
        "listeners": [_static(each, routes) for each in decoded["listeners"]],
        "clusters": [_with_endpoints(_static(each, routes), assignments) for each in decoded["clusters"]],
        "secrets": secrets,
    }
    validate({"static_resources": static}, tmp_path)


def test_envoy_accepts_what_refers_to_ads_as_it_is(decoded: Decoded, tmp_path: Path) -> None:
    bootstrap = {
        "node": {"id": "proxy", "cluster": "service"},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "grpc_services": [{"envoy_grpc": {"cluster_name": "control_plane"}}],
            }
        },
        "static_resources": {
            "listeners": decoded["listeners"],
            "clusters": [CONTROL_PLANE, *map(_that_can_begin, decoded["clusters"])],
        },
    }
    validate(bootstrap, tmp_path)


CONTROL_PLANE = {
    "name": "control_plane",
    "type": "STATIC",
    "load_assignment": {"cluster_name": "control_plane", "endpoints": []},
    "typed_extension_protocol_options": {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    },
}


STAT_PREFIX = "envoy.extensions.access_loggers.stats.v3.Config.stat_prefix"
"""What replaces it since Envoy 1.40, `stats_scope`, is unknown to older ones, and to our build of the API."""


def validate(bootstrap: dict[str, Any], folder: Path) -> None:
    file = folder / "bootstrap.json"
    file.write_text(json.dumps(bootstrap))
    envoy = subprocess.run(
        [find_envoy(), "--mode", "validate", "-c", file],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert envoy.returncode == 0, envoy.stderr
    warnings = [line for line in envoy.stderr.splitlines() if "deprecated" in line.lower()]
    assert [line for line in warnings if STAT_PREFIX not in line] == []


def _that_can_begin(cluster: dict[str, Any]) -> dict[str, Any]:
    """A cluster that looks up its addresses begins at once; its secrets would be asked of nobody."""
    looks_up = cluster.get("type") == "STRICT_DNS"
    return {key: value for key, value in cluster.items() if key != "transportSocket" or not looks_up}


def _static(value: Any, routes: dict[str, Any]) -> Any:
    """The same without references to xDS: routes in place, secrets by their name alone."""
    if isinstance(value, list):
        return [_static(each, routes) for each in value]
    if not isinstance(value, dict):
        return value
    static = {key: _static(each, routes) for key, each in value.items() if key != "sdsConfig"}
    if "rds" in static:
        static["routeConfig"] = routes[static.pop("rds")["routeConfigName"]]
    return static


def _with_endpoints(cluster: dict[str, Any], assignments: dict[str, Any]) -> dict[str, Any]:
    if cluster.get("type") != "EDS":
        return cluster
    rest = {key: value for key, value in cluster.items() if key != "edsClusterConfig"}
    return rest | {"type": "STATIC", "loadAssignment": assignments[cluster["name"]]}


@pytest.fixture(scope="module")
def secrets() -> list[dict[str, Any]]:
    """A certificate that vouches for itself, as leaf and as root."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    certificate_pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    leaf = {"certificateChain": {"inlineString": certificate_pem}, "privateKey": {"inlineString": key_pem}}
    return [
        {"name": "leaf", "tlsCertificate": leaf},
        {"name": "roots", "validationContext": {"trustedCa": {"inlineString": certificate_pem}}},
    ]

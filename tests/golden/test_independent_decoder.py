"""Another implementation of protobuf, generated from Envoy's own definitions, reads what we emit as we do."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import any_pb2
from google.protobuf.json_format import MessageToDict

from xdsmesh.model.resource import TYPES

if TYPE_CHECKING:
    from xdsmesh.model.resource import ProxyView

MODULES = (
    "config.cluster.v3",
    "config.endpoint.v3",
    "config.listener.v3",
    "config.route.v3",
    "extensions.access_loggers.file.v3",
    "extensions.access_loggers.filters.cel.v3",
    "extensions.access_loggers.stats.v3",
    "extensions.access_loggers.stream.v3",
    "extensions.clusters.aggregate.v3",
    "extensions.filters.http.grpc_http1_bridge.v3",
    "extensions.filters.http.grpc_stats.v3",
    "extensions.filters.http.jwt_authn.v3",
    "extensions.filters.http.rbac.v3",
    "extensions.filters.http.router.v3",
    "extensions.filters.listener.tls_inspector.v3",
    "extensions.filters.network.connection_limit.v3",
    "extensions.filters.network.http_connection_manager.v3",
    "extensions.filters.network.rbac.v3",
    "extensions.filters.network.tcp_proxy.v3",
    "extensions.retry.host.previous_hosts.v3",
    "extensions.retry.priority.previous_priorities.v3",
    "extensions.transport_sockets.tls.v3",
    "extensions.upstreams.http.v3",
)


@pytest.fixture(scope="module")
def independent_any() -> Any:
    """The other implementation's ``Any``, which unpacks the messages of the modules."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its use of pydantic is not ours to mend
        for module in MODULES:
            import_module(f"envoy_data_plane.envoy.{module}")
        return import_module("envoy_data_plane.google.protobuf").Any


def test_another_decoder_reads_the_same_values(view: ProxyView, independent_any: Any) -> None:
    """A field that Envoy has deprecated would fail here too: the decoder warns, and warnings are errors."""
    resources = [resource for type_url in TYPES for resource in view.of(type_url).values()]
    assert resources
    for resource in resources:
        with warnings.catch_warnings():
            # What replaces it is unknown to older Envoys, and to our build of the API.
            warnings.filterwarnings("ignore", "Config.stat_prefix is deprecated")
            parsed = independent_any.parse(resource.any).to_dict()
        decoded = plain(parsed)
        assert decoded == plain(MessageToDict(any_pb2.Any.FromString(resource.any)))
        assert decoded["@type"] == resource.type_url


def plain(value: Any) -> Any:
    """Without what the two write differently: the case of ``5xx`` in a key, and quotes around numbers."""
    if isinstance(value, dict):
        return {key.lower(): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

"""The bootstrap of a sidecar's Envoy: who it is, and where its control plane is. All else comes over ADS.

Fields: https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/bootstrap/v3/bootstrap.proto
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from xdsmesh.bootstrap.address import HostPort
from xdsmesh.model.token import HEADER, VARIABLE

_CONTROL_PLANE: Final = "xdsmesh"
"""The name of the static cluster."""

_RETRIES: Final = {"retry_back_off": {"base_interval": "0.5s", "max_interval": "5s"}}
"""How soon Envoy opens its stream again; by itself it takes up to 30 s after the control plane is back."""

_STATIC_SECRET: Final = "xdsmesh-token"  # noqa: S105 - its name

_EXTENSIONS: Final = "type.googleapis.com/envoy.extensions"
_FILTERS: Final = f"{_EXTENSIONS}.filters.http"
_HTTP_PROTOCOL_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

_MAX_PROGRAM_SIZE: Final = 1 << 20
"""The compiled size up to which a regular expression is accepted; Envoy's default of 100 is small."""


def make_bootstrap(  # noqa: PLR0913 - what differs between the Envoys of a mesh
    node_id: str,
    node_cluster: str,
    xds: HostPort,
    admin: HostPort | Path | None = None,
    token_file: Path | None = None,
    *,
    transport_socket: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Make a bootstrap, in the form that Envoy reads as JSON or YAML.

    ``node_id`` is the id under which the proxy is registered, ``node_cluster`` the service that it stands
    before. ``admin`` is an IP address and port, or the path of a Unix socket; without it Envoy has no admin
    interface. Envoy shows its token in the metadata of its stream, and takes it from ``token_file``, or else
    from its environment. ``transport_socket`` is how it speaks TLS to the control plane, see
    `ServerTrust`; None: in the clear.
    """
    bootstrap: dict[str, Any] = {
        "node": {"id": node_id, "cluster": node_cluster},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "grpc_services": [{"envoy_grpc": {"cluster_name": _CONTROL_PLANE, "retry_policy": _RETRIES}}],
            },
            "cds_config": _from_ads(),
            "lds_config": _from_ads(),
        },
        "static_resources": {"clusters": [_control_plane(xds, token_file, transport_socket)]},
        "layered_runtime": {
            "layers": [
                {"name": "base", "static_layer": {"re2.max_program_size.error_level": _MAX_PROGRAM_SIZE}},
            ],
        },
    }
    if token_file is not None:
        bootstrap["static_resources"]["secrets"] = [_secret(token_file)]
    if admin is not None:
        bootstrap["admin"] = {"address": _address(admin)}
    return bootstrap


def _from_ads() -> dict[str, Any]:
    # 0s: wait for the control plane as long as it takes; without an answer Envoy would start with nothing.
    return {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}


def _secret(token_file: Path) -> dict[str, Any]:
    return {
        "name": _STATIC_SECRET,
        "generic_secret": {"secret": {"filename": str(token_file.absolute())}},
    }


def _shows_token(token_file: Path | None) -> dict[str, Any]:
    """The filter that puts the token into the metadata of the stream.

    What stands in ``initial_metadata`` Envoy shows to whoever reaches its admin interface; of these filters
    it shows the name of the file or of the variable at most.
    """
    if token_file is None:
        value = f"%ENVIRONMENT({VARIABLE})%"
        header = {"header": {"key": HEADER, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        return {
            "name": "envoy.filters.http.header_mutation",
            "typed_config": {
                "@type": f"{_FILTERS}.header_mutation.v3.HeaderMutation",
                "mutations": {"request_mutations": [{"append": header}]},
            },
        }
    return {
        "name": "envoy.filters.http.credential_injector",
        "typed_config": {
            "@type": f"{_FILTERS}.credential_injector.v3.CredentialInjector",
            "overwrite": True,
            "credential": {
                "name": "envoy.http.injected_credentials.generic",
                "typed_config": {
                    "@type": f"{_EXTENSIONS}.http.injected_credentials.generic.v3.Generic",
                    "header": HEADER,
                    "credential": {"name": _STATIC_SECRET},
                },
            },
        },
    }


def _control_plane(
    xds: HostPort, token_file: Path | None, transport_socket: Mapping[str, Any] | None
) -> dict[str, Any]:
    return {
        "name": _CONTROL_PLANE,
        **({"type": "STATIC"} if xds.is_ip else {"type": "STRICT_DNS", "dns_lookup_family": "ALL"}),
        "connect_timeout": "2s",
        **({"transport_socket": transport_socket} if transport_socket else {}),
        "typed_extension_protocol_options": {
            _HTTP_PROTOCOL_OPTIONS: {
                "@type": f"type.googleapis.com/{_HTTP_PROTOCOL_OPTIONS}",
                "explicit_http_config": {
                    # Pings notice a server that vanished without closing the connection.
                    "http2_protocol_options": {"connection_keepalive": {"interval": "30s", "timeout": "10s"}},
                },
                "http_filters": [
                    _shows_token(token_file),
                    {
                        "name": "envoy.filters.http.upstream_codec",
                        "typed_config": {"@type": f"{_FILTERS}.upstream_codec.v3.UpstreamCodec"},
                    },
                ],
            },
        },
        "load_assignment": {
            "cluster_name": _CONTROL_PLANE,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(xds)}}]}],
        },
    }


def _address(address: HostPort | Path) -> dict[str, Any]:
    if isinstance(address, Path):
        return {"pipe": {"path": str(address)}}
    return {"socket_address": {"address": address.host, "port_value": address.port}}

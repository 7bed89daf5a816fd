"""The mesh that is measured: many sidecars of one service, each with the same 20 upstreams of 8 endpoints."""

import json
from pathlib import Path
from typing import Any, Final

UPSTREAMS: Final = 20
ENDPOINTS: Final = 8
_SIDECAR_PORT: Final = 21000
_SERVICES_A_FILE: Final = 100
_FIRST_BIND_PORT: Final = 9000
_PASSING: Final = {"Status": "passing"}
"""The check of a sidecar at an address where nobody listens: it says so itself, and nothing is probed."""

Body = dict[str, Any]


def proxy_id(number: int) -> str:
    """The node id of one of the sidecars that are connected."""
    return f"client-{number}-sidecar-proxy"


def write_config(folder: Path, sidecars: int) -> None:
    """Write all but the one instance that changes; what a file declares, the API may not touch."""
    upstreams = [_upstream_name(number) for number in range(UPSTREAMS)]
    entries = [{"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http"}}]
    entries += [_router(name) for name in upstreams]
    for number, entry in enumerate(entries):
        (folder / f"entry-{number:02}.json").write_text(json.dumps(entry))
    services = [_client(number, upstreams) for number in range(sidecars)]
    services += [
        _endpoint(upstream, number)
        for upstream in range(UPSTREAMS)
        for number in range(ENDPOINTS)
        if (upstream, number) != (0, 0)
    ]
    for start in range(0, len(services), _SERVICES_A_FILE):
        some = services[start : start + _SERVICES_A_FILE]
        (folder / f"services-{start:04}.json").write_text(json.dumps({"services": some}))


def changing_endpoint(change: int) -> Body:
    """The body that registers the one instance which changes: each time with another port."""
    return _endpoint(0, 0, _SIDECAR_PORT + change)


def _upstream_name(number: int) -> str:
    return f"upstream-{number:02}"


def _router(service: str) -> Body:
    """A route that has to be told apart, so that the upstream's routes come over RDS."""
    match = {"HTTP": {"PathPrefix": "/admin"}}
    destination = {"Service": service, "PrefixRewrite": "/"}
    return {
        "Kind": "service-router",
        "Name": service,
        "Routes": [{"Match": match, "Destination": destination}],
    }


def _client(number: int, upstreams: list[str]) -> Body:
    calls = [
        {"DestinationName": name, "LocalBindPort": _FIRST_BIND_PORT + place}
        for place, name in enumerate(upstreams)
    ]
    return {
        "ID": f"client-{number}",
        "Name": "client",
        "Address": f"10.1.{number // 250}.{number % 250 + 1}",
        "Port": 8080,
        "Connect": {
            "SidecarService": {"Port": _SIDECAR_PORT, "Check": _PASSING, "Proxy": {"Upstreams": calls}}
        },
    }


def _endpoint(upstream: int, number: int, port: int = _SIDECAR_PORT) -> Body:
    name = _upstream_name(upstream)
    return {
        "ID": f"{name}-{number}",
        "Name": name,
        "Address": f"10.2.{upstream}.{number + 1}",
        "Port": 8080,
        "Connect": {"SidecarService": {"Port": port, "Check": _PASSING}},
    }

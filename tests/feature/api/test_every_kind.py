"""Every kind of config entry takes the same way: written, listed, read, written again, deleted."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from xdsmesh.config.kinds import KINDS

KEYS = {"Local": {"Filename": "/etc/keys.json"}}
CONSUMERS = [{"Peer": "east"}]

SMALLEST: dict[str, dict[str, Any]] = {
    "proxy-defaults": {"Name": "global"},
    "service-defaults": {"Name": "web"},
    "service-resolver": {"Name": "web"},
    "service-splitter": {"Name": "web", "Splits": [{"Weight": 100}]},
    "service-router": {"Name": "web"},
    "service-intentions": {"Name": "web", "Sources": [{"Name": "*", "Action": "deny"}]},
    "mesh": {},
    "ingress-gateway": {"Name": "ingress"},
    "terminating-gateway": {"Name": "egress"},
    "api-gateway": {"Name": "edge", "Listeners": [{"Name": "a", "Port": 80, "Protocol": "http"}]},
    "http-route": {"Name": "shop"},
    "tcp-route": {"Name": "db"},
    "file-system-certificate": {"Name": "files"},
    "exported-services": {"Name": "default", "Services": [{"Name": "api", "Consumers": CONSUMERS}]},
    "jwt-provider": {"Name": "okta", "JSONWebKeySet": KEYS},
}


@pytest.fixture(params=KINDS)
def entry(request: pytest.FixtureRequest, pair: Callable[[], tuple[str, str]]) -> dict[str, Any]:
    """The smallest entry of each kind that is right by itself."""
    kind = request.param
    if kind == "inline-certificate":
        certificate, key = pair()
        return {"Kind": kind, "Name": "shop", "Certificate": certificate, "PrivateKey": key}
    return {"Kind": kind, **SMALLEST[kind]}


async def test_an_entry_is_written_listed_read_written_again_and_deleted(
    api: httpx.AsyncClient, entry: dict[str, Any]
) -> None:
    if entry["Kind"] in ("service-splitter", "service-router"):
        await api.put("/v1/config", json={"Kind": "service-defaults", "Name": "web", "Protocol": "http"})
    path = f"/v1/config/{entry['Kind']}/{entry.get('Name', 'mesh')}"

    answer = await api.put("/v1/config?cas=0", json=entry)
    assert (answer.status_code, answer.json()) == (200, True)
    found = (await api.get(path)).json()
    assert entry.keys() <= found.keys()
    assert (await api.get(f"/v1/config/{entry['Kind']}")).json() == [found]

    answer = await api.put("/v1/config", json=found)
    assert (answer.status_code, answer.json()) == (200, True)
    assert (await api.get(path)).json() == found
    assert (await api.put("/v1/config?cas=0", json=found | {"Meta": {"a": "b"}})).json() is False

    assert (await api.delete(path)).json() == {}
    assert (await api.get(path)).status_code == 404

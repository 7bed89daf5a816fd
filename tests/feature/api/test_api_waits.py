"""Each list that can be waited for: what wakes those who wait, and what does not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

Held = Callable[..., Awaitable[None]]
Write = tuple[str, Any]
"""A path below ``/v1``, and what is put there; None deletes."""

FAR = {"Node": "far", "Address": "10.0.0.2"}
SIDECAR = {"Name": "web", "Port": 80, "Connect": {"SidecarService": {"Check": {"TTL": "1h"}}}}
"""Nothing probes it: its checks change only when a test says so."""

GATE = {"Kind": "terminating-gateway", "Name": "gate", "Services": [{"Name": "*"}]}


def far(**parts: object) -> Write:
    return "catalog/register", {**FAR, **parts}


def gone(**parts: object) -> Write:
    return "catalog/deregister", {"Node": "far", **parts}


def agent(**definition: object) -> Write:
    return "agent/service/register", definition


def entry(kind: str, name: str, **fields: object) -> Write:
    return "config", {"Kind": kind, "Name": name, **fields}


DEFAULTS = entry("proxy-defaults", "global", Config={"protocol": "http"})
OTHER = agent(Name="other")
CHECK = {"CheckID": "c", "Name": "c", "Status": "passing"}

WAITS: list[tuple[str, Write, list[Write]]] = [
    # what is read; what does not touch it; what does, one after the other
    (
        "catalog/nodes",
        OTHER,
        [far(), far(NodeMeta={"rack": "1"}), gone()],
    ),
    (
        "catalog/services",
        DEFAULTS,
        [agent(Name="web"), agent(Name="web", Tags=["v1"]), ("agent/service/deregister/web", {})],
    ),
    (
        "catalog/service/web",
        OTHER,
        [agent(**SIDECAR), far(Service={"Service": "WEB"}), far(NodeMeta={"rack": "1"}), gone()],
    ),
    (
        "catalog/connect/web",
        OTHER,
        [
            agent(Name="web"),
            agent(**SIDECAR),
            ("agent/service/deregister/web-sidecar-proxy", {}),
            agent(Name="web", Port=80, Connect={"Native": True}),
            agent(Name="web"),
            ("config/terminating-gateway/gate", None),
        ],
    ),
    (
        "catalog/node/far",
        OTHER,
        [far(), far(Service={"Service": "web"}), gone(ServiceID="web"), gone()],
    ),
    (
        "catalog/node/n1",
        far(Service={"Service": "web"}),
        [agent(**SIDECAR), DEFAULTS, ("config/proxy-defaults/global", None)],
    ),
    (
        "catalog/node-services/far?merge-central-config",
        OTHER,
        [
            far(
                Service={
                    "Service": "p",
                    "Kind": "connect-proxy",
                    "Port": 80,
                    "Proxy": {"DestinationServiceName": "web"},
                }
            ),
            DEFAULTS,
            entry("service-defaults", "web", MaxInboundConnections=3),
        ],
    ),
    (
        "catalog/gateway-services/gate",
        OTHER,
        [
            ("config", GATE),
            agent(Name="web"),
            agent(**SIDECAR),
            ("config/terminating-gateway/gate", None),
        ],
    ),
    (
        "health/service/web",
        OTHER,
        [
            agent(Name="web", Check={"TTL": "1h"}),
            ("agent/check/pass/service:web", {}),
            ("agent/maintenance?enable=true", {}),
            ("agent/maintenance?enable=false", {}),
            ("agent/check/deregister/service:web", {}),
            ("agent/service/deregister/web", {}),
        ],
    ),
    (
        "health/connect/web?passing",
        OTHER,
        [
            far(
                Service={"Service": "web", "Port": 80, "Connect": {"Native": True}},
                Check={**CHECK, "ServiceID": "web"},
            ),
            far(Check={**CHECK, "ServiceID": "web", "Status": "warning"}),
            far(Check={**CHECK, "ServiceID": "web"}),
            far(Check={**CHECK, "CheckID": "node", "Status": "critical"}),
        ],
    ),
    (
        "health/checks/web",
        OTHER,
        [
            agent(Name="web", Check={"TTL": "1h"}),
            agent(Name="web", Tags=["v1"], Check={"TTL": "1h"}),
            ("agent/check/warn/service:web?note=hot", {}),
            ("agent/check/warn/service:web?note=hotter", {}),
        ],
    ),
    (
        "health/node/far",
        agent(Name="other", Check={"TTL": "1h"}),
        [far(Check=CHECK), far(Check={**CHECK, "Output": "all well"}), gone(CheckID="c")],
    ),
    (
        "health/state/any",
        OTHER,
        [
            agent(Name="web", Check={"TTL": "1h"}),
            agent(Name="web", Tags=["v1"]),
            ("agent/check/deregister/service:web", {}),
        ],
    ),
    (
        "health/state/critical?node-meta=rack:1",
        agent(Name="other", Check={"TTL": "1h"}),
        [far(Check={**CHECK, "Status": "critical"}, NodeMeta={"rack": "1"}), far(NodeMeta={"rack": "2"})],
    ),
    (
        "config/service-router/web",
        OTHER,
        [entry("service-router", "web"), ("config/service-router/web", None)],
    ),
    (
        "connect/intentions",
        OTHER,
        [entry("service-intentions", "web", Sources=[{"Name": "db", "Action": "deny"}])],
    ),
    (
        "connect/intentions/exact?source=db&destination=web",
        entry("service-intentions", "db", Sources=[{"Name": "web", "Action": "deny"}]),
        [entry("service-intentions", "web", Sources=[{"Name": "db", "Action": "deny"}])],
    ),
    (
        "connect/intentions/match?by=destination&name=web",
        entry("service-intentions", "db", Sources=[{"Name": "web", "Action": "deny"}]),
        [
            entry("service-intentions", "*", Sources=[{"Name": "*", "Action": "deny"}]),
            entry("service-intentions", "web", Sources=[{"Name": "db", "Action": "deny"}]),
        ],
    ),
    (
        "xdsmesh/intentions/check?source=db&destination=web",
        entry("service-intentions", "db", Sources=[{"Name": "web", "Action": "deny"}]),
        [
            entry("service-intentions", "*", Sources=[{"Name": "*", "Action": "deny"}]),
            entry("service-intentions", "web", Sources=[{"Name": "db", "Action": "deny"}]),
        ],
    ),
]

BEFORE: dict[str, list[Write]] = {
    "catalog/connect/web": [("config", GATE), agent(Name="gate", Kind="terminating-gateway", Port=8443)],
    "config/service-router/web": [DEFAULTS],
}


def index_of(answer: httpx.Response) -> int:
    return int(answer.headers["X-Consul-Index"])


async def write(api: httpx.AsyncClient, path: str, body: Any) -> None:
    answer = await (api.delete(f"/v1/{path}") if body is None else api.put(f"/v1/{path}", json=body))
    assert answer.status_code == 200, (path, answer.text)


@pytest.mark.parametrize(("path", "unrelated", "changes"), WAITS, ids=[each[0] for each in WAITS])
async def test_what_changes_an_answer_wakes_those_who_wait_for_it_and_nothing_else_does(
    api: httpx.AsyncClient, held: Held, path: str, unrelated: Write, changes: list[Write]
) -> None:
    query = f"/v1/{path}{'&' if '?' in path else '?'}"
    for needed in BEFORE.get(path, []):
        await write(api, *needed)
    known = await api.get(f"/v1/{path}")
    assert index_of(known) >= 1
    timed_out = await api.get(f"{query}index={index_of(known)}&wait=1ms")
    assert (timed_out.status_code, timed_out.content) == (known.status_code, known.content)
    assert index_of(timed_out) == index_of(known)
    for number, change in enumerate(changes):
        waiter = asyncio.create_task(api.get(f"{query}index={index_of(known)}&wait=60s"))
        await held()
        if number == 0:
            await write(api, *unrelated)
            assert (await api.get(f"/v1/{path}")).content == known.content
            assert not waiter.done()
        await write(api, *change)
        woken = await asyncio.wait_for(waiter, 5)
        assert woken.content != known.content, change
        assert woken.content == (await api.get(f"/v1/{path}")).content
        assert index_of(woken) > index_of(known)
        known = woken

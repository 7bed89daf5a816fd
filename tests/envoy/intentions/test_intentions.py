"""Stock Envoys let in whom intentions allow, and what they allow, and nobody and nothing else."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import pytest

from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.sealing import Sealer
from xdsmesh.config.files import parse_file
from xdsmesh.config.intentions import Caller as Who
from xdsmesh.config.intentions import Intention, intentions_of
from xdsmesh.config.kinds.service_intentions import ServiceIntentions
from xdsmesh.explain.permissions import InboundRequest
from xdsmesh.explain.verdict import decide
from xdsmesh.settings import IntentionPolicy
from xdsmesh.store.memory import MemoryStore

if TYPE_CHECKING:
    from tests.envoy.intentions.conftest import Services

pytestmark = pytest.mark.envoy

GREETING: Final = b"220 ledger ready\r\n"
"""What the tcp application says first."""

Sources = list[dict[str, Any]]

ALLOW_API: Final[Sources] = [{"Name": "api", "Action": "allow"}]


def entry(destination: str, sources: Sources) -> str:
    return json.dumps({"Kind": "service-intentions", "Name": destination, "Sources": sources})


async def test_api_reaches_both_and_web_neither(services: Services) -> None:
    await services.write(entry("db", ALLOW_API), entry("ledger", ALLOW_API))
    async with services.caller("db", "api") as api, services.caller("db", "web") as web:
        assert (await api.ask("/x"))[0] == 200
        assert (await web.ask("/x"))[0] == 403
    assert [each["path"] for each in services.heard] == ["/x"], "only the request of api came through"
    async with services.caller("ledger", "api") as api:
        assert await api.listen() == GREETING
        await api.say(b"hello")
        assert await api.hear() == b"hello"


async def test_who_is_denied_over_tcp_hears_nothing_not_even_a_greeting(services: Services) -> None:
    await services.write(entry("ledger", ALLOW_API))
    async with services.caller("ledger", "web") as web:
        assert await web.listen() == b""
    assert services.connections == 0, "the application did not even learn of it"


@pytest.mark.parametrize("default_policy", [IntentionPolicy.DENY, IntentionPolicy.ALLOW])
async def test_only_certificates_of_the_mesh_that_are_still_valid_are_taken(
    services: Services, default_policy: IntentionPolicy
) -> None:
    await services.write(entry("db", ALLOW_API), entry("ledger", ALLOW_API))
    other = await Issuer.open(MemoryStore(), "test.consul", services.now, Sealer.in_memory())
    shown = {
        "none": None,
        "one of another root that says it is api": services.leaf("api", issuer=other),
        "one of api that has ended": services.leaf("api", ended=True),
    }
    for destination, (what, leaf) in product(("db", "ledger"), shown.items()):
        async with services.caller(destination, leaf) as caller:
            assert await caller.listen() == b"", what
    async with services.caller("db", "web") as web:
        posing = ("x-forwarded-client-cert", "URI=spiffe://test.consul/ns/default/dc/dc1/svc/api")
        expected = 200 if default_policy is IntentionPolicy.ALLOW else 403
        assert (await web.ask("/", headers=(posing,)))[0] == expected, "it is web, whatever it says"
    assert all("svc/api" not in str(each["headers"]) for each in services.heard)
    assert services.connections == 0


async def test_ledger_11_an_open_http_connection_obeys_a_tightened_intention_at_its_next_request(
    services: Services,
) -> None:
    await services.write(entry("db", ALLOW_API))
    async with services.caller("db", "api") as api:
        assert (await api.ask())[0] == 200
        await services.write(entry("db", [{"Name": "api", "Action": "deny"}]))
        assert (await api.ask())[0] == 403
        await services.write(entry("db", ALLOW_API))
        assert (await api.ask())[0] == 200
        await services.remove("service-intentions", "db")
        assert (await api.ask())[0] == 403
        assert api.connected_once, "it was one connection all the time"


async def test_ledger_11_an_open_tcp_connection_ends_within_the_drain_time_of_a_tightened_intention(
    services: Services,
) -> None:
    await services.write(entry("ledger", ALLOW_API))
    async with services.caller("ledger", "api") as api:
        assert await api.listen() == GREETING
        await services.write(entry("ledger", [{"Name": "api", "Action": "deny"}]))
        assert await api.hear() == b"", "Envoy was started with a drain time of a second"
    async with services.caller("ledger", "api") as api:
        assert await api.listen() == b""


NOTHING: Final[Sources] = []
WEB: Final[tuple[Sources, ...]] = (
    NOTHING,
    [{"Name": "web", "Action": "allow"}],
    [{"Name": "web", "Action": "deny"}],
    [
        {
            "Name": "web",
            "Permissions": [
                {"Action": "deny", "HTTP": {"PathPrefix": "/a/"}},
                {"Action": "allow", "HTTP": {"PathPrefix": "/a", "Methods": ["GET"]}},
            ],
        }
    ],
    [
        {
            "Name": "web",
            "Permissions": [
                {"Action": "allow", "HTTP": {"PathExact": "/a/b"}},
                {"Action": "deny", "HTTP": {"Header": [{"Name": "x-role", "Exact": "x", "Invert": True}]}},
            ],
        }
    ],
)
ANYBODY: Final[tuple[Sources, ...]] = (
    NOTHING,
    [{"Name": "*", "Action": "allow"}],
    [{"Name": "*", "Action": "deny"}],
    [{"Name": "*", "Permissions": [{"Action": "deny", "HTTP": {"PathRegex": "/a/.*"}}]}],
)
REQUESTS: Final = [
    InboundRequest(method, path, headers)
    for method, path, headers in product(
        ("GET", "PUT"), ("/", "/a", "/a/b?/=a"), ((), (("x-role", "x"),), (("x-role", "y"),))
    )
]


@pytest.mark.parametrize("default_policy", [IntentionPolicy.DENY, IntentionPolicy.ALLOW])
async def test_envoy_decides_as_the_intentions_say(
    services: Services, default_policy: IntentionPolicy
) -> None:
    """A sample of what tests/property/test_authorization.py tries in full."""
    by_default = default_policy is IntentionPolicy.ALLOW
    callers = {name: services.caller("db", name) for name in ("web", "api")}
    for general, web, anybody in product((NOTHING, ANYBODY[1]), WEB, ANYBODY):
        written = {"db": [*web, *anybody], "*": general}
        for destination, sources in written.items():
            if sources:
                await services.write(entry(destination, sources))
            else:
                await services.remove("service-intentions", destination)
        for caller in callers.values():
            caller.close()  # a rule on paths makes a new listener: the connections of the old one are drained
        intentions = [each for name, sources in written.items() for each in read(name, sources)]
        for (name, caller), request in product(callers.items(), REQUESTS):
            expected = decide(
                intentions, Who(name), "db", request, protocol_is_http=True, allow_by_default=by_default
            )
            status, _ = await caller.ask(request.path, request.method, request.headers)
            assert (status == 200) is expected.allowed, (written, name, request, expected)
    for caller in callers.values():
        caller.close()


def read(destination: str, sources: Sources) -> list[Intention]:
    if not sources:
        return []
    (found,) = parse_file("test.json", entry(destination, sources).encode()).entries
    assert isinstance(found.value, ServiceIntentions)
    return list(intentions_of(found.value))

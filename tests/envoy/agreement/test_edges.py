"""What Envoy refuses, and the headers that it reads otherwise than people might think."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from xdsmesh.explain.types import Request

if TYPE_CHECKING:
    import asyncio

    from tests.envoy.agreement.conftest import Mesh

pytestmark = pytest.mark.envoy

GET = Request("web")
METHODS = (
    "ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE "
    "M-SEARCH MSEARCH NOTIFY OPTIONS PATCH POST PRI PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT "
    "SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE UPDATE get"
)
TEXT = [chr(number) for number in range(0x20, 0x7F)]
CONTROLS = [chr(number) for number in (1, 8, 9, 11, 31, 127)]


def declared(*routes: dict[str, Any]) -> list[dict[str, Any]]:
    instance = {"Name": "web", "Address": "@0", "Port": 80, "Connect": {"SidecarService": {}}}
    return [
        {"Kind": "service-defaults", "Name": "web", "Protocol": "http"},
        {"Kind": "service-router", "Name": "web", "Routes": list(routes)},
        {"services": [instance]},
    ]


ASKED = {
    "methods": [replace(GET, method=method) for method in METHODS.split()],
    "a request to no path": [replace(GET, method="OPTIONS", path="*")],
    "paths": [replace(GET, path=f"/a{letter}b") for letter in (*TEXT, *CONTROLS, "é")],
    "paths without a slash": [replace(GET, path="a"), replace(GET, path="?a")],
    "names of headers": [replace(GET, headers=((f"x{letter}y", "1"),)) for letter in TEXT if letter != ":"],
    "values of headers": [replace(GET, headers=(("x-a", f"a{letter}b"),)) for letter in (*TEXT, *CONTROLS)],
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_envoy_refuses_what_is_said_to_be_refused(
    mesh: Mesh, runner: asyncio.Runner, asked: list[Request]
) -> None:
    async def statuses() -> list[int]:
        assert await mesh.configure(declared({"Match": {"HTTP": {"PathPrefix": "/x"}}}))
        await mesh.connect()
        return [(await mesh.ask(request)).status for request in asked]

    observed = runner.run(statuses())
    refusals = [mesh.explain(request).refusal for request in asked]
    assert observed == [refusal.status if refusal else 200 for refusal in refusals]


CASES = {
    "repeated, one is enough": ({"Name": "x-a", "Exact": "a"}, (("x-a", "b"), ("X-A", "a")), True),
    "repeated, not joined": ({"Name": "x-a", "Exact": "a,b"}, (("x-a", "a"), ("x-a", "b")), False),
    "repeated, one fails the inverted": (
        {"Name": "x-a", "Exact": "a", "Invert": True},
        (("x-a", "b"), ("x-a", "a")),
        False,
    ),
    "missing, inverted": ({"Name": "x-a", "Exact": "a", "Invert": True}, (), False),
    "missing, inverted presence": ({"Name": "x-a", "Present": True, "Invert": True}, (), True),
    "empty, present": ({"Name": "x-a", "Present": True}, (("x-a", ""),), True),
    "empty, by regex": ({"Name": "x-a", "Regex": "a*"}, (("x-a", ""),), True),
    "the host": ({"Name": "Host", "Exact": "localhost"}, (), True),
    "the path with its query": ({"Name": ":path", "Exact": "/?q"}, (), True),
    "the method": ({"Name": ":method", "Exact": "GET"}, (), True),
    "the scheme": ({"Name": ":scheme", "Exact": "http"}, (), True),
    "the scheme as told": ({"Name": ":scheme", "Exact": "https"}, (("x-forwarded-proto", "https"),), True),
    "an id that Envoy gives": ({"Name": "x-request-id", "Present": True}, (), True),
    "of the connection": ({"Name": "connection", "Present": True}, (("connection", "keep-alive"),), False),
    "named by the connection": (
        {"Name": "x-a", "Present": True},
        (("connection", "x-a"), ("x-a", "1")),
        False,
    ),
    "te but trailers": ({"Name": "te", "Present": True}, (("te", "gzip"),), False),
    "te trailers": ({"Name": "te", "Present": True}, (("te", "trailers"),), True),
    "a certificate that the caller made up": (
        {"Name": "x-forwarded-client-cert", "Present": True},
        (("x-forwarded-client-cert", "By=me"),),
        False,
    ),
}


@pytest.mark.parametrize(("condition", "headers", "expected"), CASES.values(), ids=CASES)
def test_headers_are_matched_as_envoy_does(
    mesh: Mesh,
    runner: asyncio.Runner,
    condition: dict[str, Any],
    headers: tuple[tuple[str, str], ...],
    *,
    expected: bool,
) -> None:
    marked = {"RequestHeaders": {"Set": {"x-matched": "1"}}}
    request = replace(GET, path="/?q", headers=headers)

    async def matched() -> bool:
        assert await mesh.configure(
            declared({"Match": {"HTTP": {"Header": [condition]}}, "Destination": marked})
        )
        await mesh.connect()
        return ("x-matched", "1") in (await mesh.ask(request)).received

    assert runner.run(matched()) is expected
    route = mesh.explain(request).route
    assert route
    assert (route.index == 0) is expected
    assert (
        route.meaning
        == ("Routes[0] of service-router" if expected else "the implied last route of service-router")
        + f" {mesh.upstream}"
    )


RETRIES: dict[str, dict[str, Any]] = {
    "never": {},
    "once, unless said otherwise": {"RetryOn": ["5xx"]},
    "as often as said": {"RetryOn": ["5xx"], "NumRetries": 3},
    "on a status": {"RetryOnStatusCodes": [503], "NumRetries": 2},
    "on something else": {"RetryOn": ["connect-failure"], "NumRetries": 2},
    "a number alone": {"NumRetries": 2},
}


@pytest.mark.parametrize("destination", RETRIES.values(), ids=RETRIES)
def test_a_request_is_not_sent_more_often_than_said(
    mesh: Mesh, runner: asyncio.Runner, destination: dict[str, Any]
) -> None:
    request = replace(GET, headers=(("x-fail", "1"),))
    reasons = {*destination.get("RetryOn", ()), *map(str, destination.get("RetryOnStatusCodes", ()))}

    async def attempts() -> int:
        assert await mesh.configure(declared({"Destination": destination}))
        await mesh.connect()
        before = mesh.served
        assert (await mesh.ask(request)).status == 503
        return mesh.served - before

    observed = runner.run(attempts())
    route = mesh.explain(request).route
    assert route
    assert observed == (route.attempts if reasons & {"5xx", "503"} else 1)

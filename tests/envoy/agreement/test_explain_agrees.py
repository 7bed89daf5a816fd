"""What ``explain`` says is what stock Envoy does, for random configurations and requests.

With ``XDSMESH_AGREEMENT=1000`` in the environment so many configurations are tried, and others each time.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from xdsmesh.explain.changes import changed
from xdsmesh.explain.text import describe
from xdsmesh.explain.types import Request

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Sequence

    from tests.envoy.agreement.conftest import Answer, Mesh
    from xdsmesh.explain.types import Explanation, Headers, Outcome

    Json = dict[str, Any]

T = TypeVar("T")

CONFIGS = int(os.environ.get("XDSMESH_AGREEMENT", "0"))
REQUESTS = 50
RARE = 0.4
"""How likely a part is that would make most routes match nothing if all had it."""
SPARSE = 50
"""A part stays if its byte is above: four of five do."""
AIMED = 0.7
"""The part of the requests that is made for the routes of the configuration."""

# --- configurations

SERVICES = ("web", "api", "admin", "db")
SUBSETS = ("v1", "v2")
PATHS = ("/", "/a", "/a/", "/A/b", "/a.b", "/ab/c", "/%61")
PATH_REGEXES = {
    "/a.*": "/a/b",
    "/[ab]+": "/ab",
    "/a(/b)?": "/a/b",
    ".*": "/",
    "/A|/b/": "/b/",
    "(?i)/A/B": "/a/b",
}
"""Each with a path that it matches."""

VALUES = ("a", "b", "ab", "1", "a,b")
REGEXES = ("a", "a|b", "[a-z]*", ".+", "A")
HEADERS = ("x-a", "X-B", "x-c")
PARAMETERS = ("q", "p", "%71")
METHODS = ("GET", "POST", "HEAD", "DELETE")
REWRITES = ("/", "/", "/new", "/new/", "/a?b=1", "/\\1")
STATUSES = ("passing", "passing", "warning", "critical")
PARTS = ((100,), (50, 50), (0, 100), (99.99, 0.01), (33.33, 33.33, 33.34), (25, 0, 75))
PARTS_KEPT = st.binary(min_size=300, max_size=300)
"""One byte for each part of a configuration: zero leaves it out. More parts than these it never has."""


class Maker:
    """Makes one configuration: a seed chooses what its parts are, and ``kept`` which of them stay.

    So hypothesis has two choices to make. With many it repeats itself, and 100 examples are few.
    """

    def __init__(self, seed: int, kept: bytes) -> None:
        self._random = Random(seed)  # noqa: S311 - no secret
        self._kept = iter(kept)
        self._subsets: dict[str, tuple[str, ...]] = {}

    def document(self) -> list[Json]:
        """Every entry leads only to services behind its own in the list, so that nothing goes in circles."""
        defaults = [{"Kind": "service-defaults", "Name": name, "Protocol": "http"} for name in SERVICES]
        resolvers = [self._maybe(self._resolver, place) for place in range(len(SERVICES))]
        splitters = [self._maybe(self._splitter, place) for place in range(len(SERVICES))]
        router = self._maybe(self._router)
        services = [self._maybe(self._instance, number) for number in range(12)]
        entries = [entry for entry in (*defaults, *resolvers, *splitters, router) if entry]
        return [*entries, {"services": [service for service in services if service]}]

    def _pick(self, options: Sequence[T]) -> T:
        return self._random.choice(options)

    def _maybe(self, make: Callable[..., T], *arguments: Any) -> T | None:
        """A part, or None; made in any case, so that what comes after it stays the same."""
        keep = next(self._kept) > SPARSE
        part = make(*arguments)
        return part if keep else None

    def _rarely(self, make: Callable[..., T], *arguments: Any) -> T | None:
        part = self._maybe(make, *arguments)
        return part if self._random.random() < RARE else None

    def _some(self, **makers: Callable[[], Any]) -> Json:
        """An object of fields that may be missing."""
        fields = {name: self._rarely(make) for name, make in makers.items()}
        return {name: value for name, value in fields.items() if value is not None}

    def _instance(self, number: int) -> Json:
        service = SERVICES[number] if number < len(SERVICES) else self._pick(SERVICES)
        return {
            "Name": service,
            "ID": f"{service}-{number}",
            "Address": f"@{number}",
            "Port": 80,
            "Meta": {"version": self._pick(SUBSETS)},
            "Checks": [{"Name": "check", "Status": self._pick(STATUSES)}],
            "Connect": {"SidecarService": {"Weights": {"Passing": self._pick((1, 1, 3, 200))}}},
        }

    def _resolver(self, place: int) -> Json:
        name, further = SERVICES[place], SERVICES[place + 1 :]
        redirect = self._rarely(lambda: {"Service": self._pick(further or SERVICES)})
        subsets = {each: self._maybe(self._subset, each) for each in SUBSETS}
        subsets = {each: subset for each, subset in subsets.items() if subset}
        default = self._rarely(lambda: self._pick(tuple(subsets) or ("",)))
        failover = self._maybe(lambda: self._failover(further or SERVICES, tuple(subsets)))
        balancer = self._rarely(self._load_balancer)
        entry = {"Kind": "service-resolver", "Name": name}
        if redirect and further:
            return entry | {"Redirect": redirect}
        self._subsets[name] = tuple(subsets)
        return (
            entry
            | {"Subsets": subsets}
            | ({"DefaultSubset": default} if default else {})
            | ({"Failover": failover} if failover and further else {})
            | ({"LoadBalancer": balancer} if balancer else {})
        )

    def _subset(self, name: str) -> Json:
        return {"Filter": f"Service.Meta.version == {name}", "OnlyPassing": self._pick((True, False))}

    def _failover(self, further: Sequence[str], subsets: tuple[str, ...]) -> Json:
        targets = self._random.sample(further, self._pick(range(1, len(further) + 1)))
        return {self._pick(("*", "*", *subsets)): {"Targets": [{"Service": each} for each in targets]}}

    def _load_balancer(self) -> Json:
        policy = self._pick(("round_robin", "random", "least_request", "ring_hash", "maglev"))
        field, name = self._pick((("header", "x-a"), ("query_parameter", "q")))
        hashes = [{"Field": field, "FieldValue": name}] if policy in ("ring_hash", "maglev") else []
        return {"Policy": policy, "HashPolicies": hashes} if hashes else {"Policy": policy}

    def _destination(self, place: int) -> Json:
        """A service behind this one, a subset of one, or a subset of its own."""
        further = SERVICES[place + 1 :]
        own = [{"ServiceSubset": name} for name in self._subsets.get(SERVICES[place], ())]
        others = [{"Service": name} for name in further]
        parts = [
            {"Service": name, "ServiceSubset": subset}
            for name in further
            for subset in self._subsets.get(name, ())
        ]
        return self._pick([{}, *own, *others, *parts])

    def _splitter(self, place: int) -> Json:
        weights = self._pick(PARTS)
        legs = {str(leg): leg for leg in (self._destination(place) for _ in range(12))}
        chosen = list(legs.values())[: len(weights)]
        weights = weights if len(chosen) == len(weights) else (100,)
        splits = [
            {"Weight": weight} | leg | self._changes() for weight, leg in zip(weights, chosen, strict=False)
        ]
        return {"Kind": "service-splitter", "Name": SERVICES[place], "Splits": splits}

    def _router(self) -> Json:
        routes = [self._maybe(self._route) for _ in range(6)]
        return {"Kind": "service-router", "Name": "web", "Routes": [route for route in routes if route]}

    def _route(self) -> Json:
        paths = (("PathExact", PATHS), ("PathPrefix", PATHS), ("PathRegex", tuple(PATH_REGEXES)))
        key, options = self._pick(paths)
        path = self._maybe(lambda: {key: self._pick(options)}) or {}
        match = path | self._some(
            CaseInsensitive=lambda: True,
            Header=lambda: [self._header_match() for _ in range(self._pick((1, 1, 2)))],
            QueryParam=lambda: [self._query_match()],
            Methods=lambda: self._random.sample(METHODS, self._pick((1, 2))),
        )
        rewrite = self._maybe(lambda: self._pick(REWRITES))
        rewrites = {"PrefixRewrite": rewrite} if rewrite and path and key != "PathRegex" else {}
        destination = self._destination(0) | rewrites | self._changes()
        return {"Match": {"HTTP": match}, "Destination": destination}

    def _header_match(self) -> Json:
        inverted = {"Invert": True} if self._pick((True, False)) else {}
        comparison = self._comparison(("Present", "Exact", "Prefix", "Suffix", "Regex"))
        return {"Name": self._pick(HEADERS)} | comparison | inverted

    def _query_match(self) -> Json:
        return {"Name": self._pick(PARAMETERS)} | self._comparison(("Present", "Exact", "Regex"))

    def _comparison(self, words: Sequence[str]) -> Json:
        word = self._pick(words)
        return {word: True if word == "Present" else self._pick(REGEXES if word == "Regex" else VALUES)}

    def _changes(self) -> Json:
        return self._some(RequestHeaders=self._header_changes, ResponseHeaders=self._header_changes)

    def _header_changes(self) -> Json:
        return self._some(
            Add=self._new_headers,
            Set=self._new_headers,
            Remove=lambda: self._random.sample(HEADERS, 1),
        )

    def _new_headers(self) -> Json:
        return {name: self._pick(("1", "2", "", "100%%")) for name in self._random.sample(HEADERS, 2)}


# --- requests

BASES = (*PATHS, "/b", "/a/b", "//a", "/a/../a", "/x")
ENDS = ("", "/", "x", "//", "#", "/b")
QUERIES = ("", "?", "?q=a", "?q", "?p=1&q=b", "?q=b&q=a", "?%71=a", "?x&&p=ab?q=a", "?q=%61", "?p=a=b")
FIELDS = tuple(product(("x-a", "X-A", "x-b", "x-c"), ("", *VALUES, "A", "a b")))
ASKED_PATHS = tuple("".join(parts) for parts in product((*BASES, *map(str.swapcase, BASES)), ENDS, QUERIES))
ASKED_HEADERS = ((), *((field,) for field in FIELDS), *product(FIELDS, FIELDS))
ASKED_METHODS = (*("GET",) * 4, *METHODS, "PUT", "FETCH")


def requests(document: list[Json], seed: int) -> list[Request]:
    """Requests that just meet the conditions of a route, that just miss them, and others."""
    draw = Random(seed)  # noqa: S311 - no secret
    routes = [route for entry in document for route in entry.get("Routes", ())]
    aimed = [request for route in routes for request in near(route["Match"]["HTTP"])]
    return [draw.choice(aimed) if aimed and draw.random() < AIMED else wild(draw) for _ in range(REQUESTS)]


def wild(draw: Random) -> Request:
    return Request("web", draw.choice(ASKED_PATHS), draw.choice(ASKED_METHODS), draw.choice(ASKED_HEADERS))


def near(match: Json) -> Iterator[Request]:
    """A request that meets the conditions, and others that differ from it in one way."""
    path = PATH_REGEXES.get(match.get("PathRegex", ""), "/x")
    path = match.get("PathExact") or match.get("PathPrefix") or path
    headers = tuple((each["Name"], meeting(each)) for each in match.get("Header", ()))
    query = "&".join(f"{each['Name']}={meeting(each)}" for each in match.get("QueryParam", ()))
    method = next(iter(match.get("Methods", ())), "GET")
    meets = Request("web", f"{path}?{query}" if query else path, method, headers)
    yield meets
    for other_path in (*(path + end for end in ENDS), path.swapcase(), path[:-1], f"{path}?x&{query}"):
        yield replace(meets, path=other_path)
    for other in METHODS:
        yield replace(meets, method=other)
    yield replace(meets, headers=())
    for name, value in headers:
        yield replace(meets, headers=((name, f"{value}x"),))
        yield replace(meets, headers=((name.swapcase(), "b"), *headers))
        yield replace(meets, headers=(*headers, (name, "b")))
        yield replace(meets, headers=((name, ""),))


def meeting(condition: Json) -> str:
    """A value that meets a condition, if it is not inverted."""
    if "Regex" in condition:
        return "A" if condition["Regex"] == "A" else "a"
    return next((str(condition[key]) for key in ("Exact", "Prefix", "Suffix") if key in condition), "")


# --- agreement


def fits(outcome: Outcome, answer: Answer) -> bool:
    """Whether an answer is this outcome."""
    if outcome.refusal:
        return not answer.instance and answer.status == outcome.refusal.status
    leg, pool, instance = outcome.leg, outcome.pool, outcome.instance
    assert leg
    assert pool
    assert instance
    subset = f"{pool.subset}." if pool.subset else ""
    return (
        answer.status == 200
        and answer.instance == f"{instance.address}:{instance.port}"
        and answer.name.startswith(f"{subset}{pool.service}.default.{pool.datacenter}.internal.")
        and answer.request_line.split()[1] == leg.path
        and of_people(answer.received) == of_people(leg.headers)
        and of_people(answer.headers) == of_people(changed((("x-a", "backend"),), leg.response_changes))
    )


def hashes(request: Request, outcomes: list[Outcome]) -> Iterator[tuple[object, ...]]:
    """What is hashed of a request, and by which cluster: the same always leads to the same instance.

    Of an answer that several legs may have given nothing is known.
    """
    for outcome in outcomes:
        if len(outcomes) == 1 and outcome.pool and outcome.pool.hashed_by:
            headers = [value for name, value in request.headers if name.lower() == "x-a"]
            parameters = [each for each in request.path.partition("?")[2].split("&") if each[:1] == "q"]
            yield outcome.pool.cluster, *outcome.pool.hashed_by, *headers, *parameters


def of_people(headers: Headers) -> Counter[tuple[str, str]]:
    """The headers that somebody asked for; Envoy adds and drops others by itself."""
    names = {name.lower() for name in HEADERS}
    return Counter((name, value) for name, value in headers if name in names)


def shown(mesh: Mesh, document: list[Json], explanation: Explanation, answer: Answer) -> str:
    """A counterexample, for a person."""
    config = "\n".join(json.dumps(part) for part in document)
    text = f"{config}\n\n{explanation.request}\n\n{describe(explanation)}\n\nbut Envoy: {answer}"
    return mesh.plain(text)


@pytest.mark.envoy
@pytest.mark.timeout(900 + CONFIGS)
def test_envoy_does_what_explain_says(mesh: Mesh, runner: asyncio.Runner) -> None:
    async def check(document: list[Json], asked: list[Request]) -> None:
        assume(await mesh.configure(document))
        await mesh.connect()
        chosen: dict[tuple[object, ...], str] = {}
        for request in asked:
            explanation = mesh.explain(request)
            answer = await mesh.ask(request)
            fitting = [outcome for outcome in explanation.outcomes() if fits(outcome, answer)]
            assert fitting, shown(mesh, document, explanation, answer)
            for key in hashes(request, fitting):
                assert chosen.setdefault(key, answer.instance) == answer.instance, shown(
                    mesh, document, explanation, answer
                )

    @settings(
        max_examples=CONFIGS or 100,
        derandomize=not CONFIGS,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**32), PARTS_KEPT)
    def agrees(seed: int, kept: bytes) -> None:
        document = Maker(seed, kept).document()
        runner.run(check(document, requests(document, seed)))

    agrees()

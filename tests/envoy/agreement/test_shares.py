"""Over many requests the odds that ``explain`` gives are the shares that stock Envoy gives."""

from __future__ import annotations

from fractions import Fraction
from math import exp, lgamma, log
from typing import TYPE_CHECKING, Any

import pytest

from xdsmesh.explain.types import Request

if TYPE_CHECKING:
    import asyncio

    from tests.envoy.agreement.conftest import Answer, Mesh
    from xdsmesh.explain.types import Outcome

    Json = dict[str, Any]

pytestmark = pytest.mark.envoy

REQUESTS = 1500
FALSE_ALARM = 1e-9
"""How unlikely a share must be to be called wrong: once in a billion right ones."""


def http(*services: str) -> list[Json]:
    return [{"Kind": "service-defaults", "Name": name, "Protocol": "http"} for name in services]


def instances(**services: list[tuple[int, str]]) -> Json:
    """For each service its instances, by weight and state."""
    declared: list[Json] = []
    for service, each in services.items():
        for weight, status in each:
            number = len(declared)
            declared.append(
                {
                    "Name": service,
                    "ID": f"{service}-{number}",
                    "Address": f"@{number}",
                    "Port": 80,
                    "Checks": [{"Name": "check", "Status": status}],
                    "Connect": {"SidecarService": {"Weights": {"Passing": weight}}},
                }
            )
    return {"services": declared}


UP, DOWN = (1, "passing"), (1, "critical")


def splitter(service: str, **weights: float) -> Json:
    splits = [{"Weight": weight, "Service": name} for name, weight in weights.items()]
    return {"Kind": "service-splitter", "Name": service, "Splits": splits}


def balanced(policy: str) -> Json:
    return {"Kind": "service-resolver", "Name": "web", "LoadBalancer": {"Policy": policy}}


FAILOVER = {"Kind": "service-resolver", "Name": "web", "Failover": {"*": {"Service": "api"}}}

CASES: dict[str, list[Json]] = {
    "one leg in ten": [
        *http("web", "api", "db"),
        splitter("web", api=90, db=10),
        instances(api=[UP], db=[UP]),
    ],
    "nested splitters": [
        *http("web", "api", "db", "admin"),
        splitter("web", api=70, db=30),
        splitter("api", admin=10, db=90),
        instances(admin=[UP], db=[UP, UP]),
    ],
    "a leg with nobody healthy": [
        *http("web", "api", "db"),
        splitter("web", api=75, db=25),
        instances(api=[UP], db=[DOWN]),
    ],
    "weights that are not round": [
        *http("web", "api", "db", "admin"),
        splitter("web", api=33.33, db=33.33, admin=33.34),
        instances(api=[UP], db=[UP], admin=[UP]),
    ],
    "instances by weight": [*http("web"), instances(web=[(1, "passing"), (3, "passing"), (10, "passing")])],
    "the healthy ones alone": [*http("web"), instances(web=[UP, DOWN, DOWN, DOWN, DOWN])],
    "at random, whatever the weights": [
        *http("web"),
        balanced("random"),
        instances(web=[(1, "passing"), (9, "passing")]),
    ],
    "least requests, by weight": [
        *http("web"),
        balanced("least_request"),
        instances(web=[(1, "passing"), (4, "passing")]),
    ],
    "failover while one is healthy": [
        *http("web", "api"),
        FAILOVER,
        instances(web=[UP, DOWN, DOWN], api=[UP]),
    ],
    "failover when nobody is": [*http("web", "api"), FAILOVER, instances(web=[DOWN], api=[UP, DOWN])],
    "failover to nobody": [*http("web", "api"), FAILOVER, instances(web=[DOWN], api=[DOWN])],
}


def is_this(outcome: Outcome, answer: Answer) -> bool:
    if outcome.instance is None or outcome.pool is None:
        return answer.status == 503
    place = f"{outcome.instance.address}:{outcome.instance.port}"
    return answer.instance == place and answer.name.startswith(f"{outcome.pool.service}.")


def log_choose(total: int, part: int) -> float:
    return lgamma(total + 1) - lgamma(part + 1) - lgamma(total - part + 1)


def probability(count: int, total: int, odds: Fraction) -> float:
    """How likely so many or fewer are, or so many or more, whichever is less: exact binomial tails."""
    if odds == 1:
        return float(count == total)
    chance = float(odds)
    terms = [
        exp(log_choose(total, each) + each * log(chance) + (total - each) * log(1 - chance))
        for each in range(total + 1)
    ]
    return min(sum(terms[: count + 1]), sum(terms[count:]))


@pytest.mark.parametrize("document", CASES.values(), ids=CASES)
def test_shares_are_compatible_with_the_odds(
    mesh: Mesh, runner: asyncio.Runner, document: list[Json]
) -> None:
    async def ask() -> list[Answer]:
        assert await mesh.configure(document)
        await mesh.connect()
        return [await mesh.ask(request) for _ in range(REQUESTS)]

    request = Request("web")
    answers = runner.run(ask())

    explanation = mesh.explain(request)
    outcomes = list(explanation.outcomes())
    assert sum(outcome.odds for outcome in outcomes) == 1
    assert all(any(is_this(outcome, answer) for outcome in outcomes) for answer in answers)
    for outcome in outcomes:
        same = [other for other in outcomes if other.instance == outcome.instance]
        count = sum(any(is_this(other, answer) for other in same) for answer in answers)
        total_odds = sum((other.odds for other in same), Fraction())
        assert probability(count, REQUESTS, total_odds) > FALSE_ALARM, (outcome, count)

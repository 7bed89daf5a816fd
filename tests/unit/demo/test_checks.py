"""The demo's verdicts: right mixes pass, wrong ones are called wrong."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from xdsmesh.demo.checks import Findings, Shift, problems, split_fits

GOOD = Findings(
    requests=1000,
    failures={},
    by_version={"v1": 912, "v2": 88},
    admin_paths=frozenset({"/x"}),
    home_services=frozenset({"web"}),
    peers=frozenset({"spiffe://1234.consul/ns/default/dc/dc1/svc/client"}),
    shift=Shift(requests=900, failures={}, ack_ms=30.0, by_version={"v1": 310, "v2": 290}),
)


def test_nothing_is_wrong_with_a_mesh_that_does_what_was_promised() -> None:
    assert list(problems(GOOD)) == []


@pytest.mark.parametrize(
    ("findings", "says"),
    [
        (
            replace(GOOD, failures={"503 no healthy upstream": 1}),
            "1 requests failed: 503 no healthy upstream",
        ),
        (replace(GOOD, by_version={"v1": 500, "v2": 500}), "500 v1, 500 v2, not 90/10"),
        (replace(GOOD, by_version={}), "was nothing, not 90/10"),
        (replace(GOOD, admin_paths=frozenset({"/x", "/admin/x"})), "/admin/x, /x"),
        (replace(GOOD, home_services=frozenset({"web", "admin"})), "admin, web"),
        (replace(GOOD, peers=frozenset()), "SPIFFE id was nothing"),
        (replace(GOOD, peers=frozenset({"spiffe://1234.consul/ns/default/dc/dc1/svc/web"})), "svc/web"),
        (replace(GOOD, peers=GOOD.peers | {""}), "SPIFFE id"),
        (replace(GOOD, shift=replace(GOOD.shift, failures={"ReadError": 2})), "2 requests failed: ReadError"),
        (
            replace(GOOD, shift=replace(GOOD.shift, by_version={"v1": 540, "v2": 60})),
            "540 v1, 60 v2, not 50/50",
        ),
    ],
)
def test_each_broken_promise_is_named(findings: Findings, says: str) -> None:
    found = list(problems(findings))

    assert len(found) == 1
    assert says in found[0]


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_correct_split_passes_however_the_dice_fall(share: float) -> None:
    dice = random.Random(42)  # noqa: S311 - dice, no secret
    shares = {"v1": 1 - share, "v2": share}

    for _ in range(300):
        drawn = Counter(dice.choices(list(shares), list(shares.values()), k=1000))
        assert split_fits(drawn, shares)


@pytest.mark.parametrize("v2", [40, 170])
def test_a_split_that_is_far_out_does_not_fit(v2: int) -> None:
    assert not split_fits({"v1": 1000 - v2, "v2": v2}, {"v1": 0.9, "v2": 0.1})


def test_a_version_that_was_not_expected_does_not_fit() -> None:
    assert not split_fits({"v1": 900, "v2": 99, "v3": 1}, {"v1": 0.9, "v2": 0.1})

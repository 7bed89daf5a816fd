import pytest

from xdsmesh.config.parts.load_balancer import (
    CookieConfig,
    HashPolicy,
    LeastRequestConfig,
    LoadBalancer,
    RingHashConfig,
)
from xdsmesh.ir import types as ir
from xdsmesh.ir.balancing import build_hash_policies, build_load_balancing
from xdsmesh.ir.types import Balance, HashField, LoadBalancing
from xdsmesh.model.duration import Duration

HOUR = Duration.parse("1h")


@pytest.mark.parametrize("balance", Balance)
def test_each_policy_has_the_name_that_people_write(balance: Balance) -> None:
    assert build_load_balancing(LoadBalancer(balance.value)) == LoadBalancing(balance)


@pytest.mark.parametrize("written", [None, LoadBalancer()])
def test_without_a_policy_it_is_round_robin(written: LoadBalancer | None) -> None:
    assert build_load_balancing(written) == LoadBalancing(Balance.ROUND_ROBIN)


@pytest.mark.parametrize(
    ("written", "built"),
    [
        ((64, 512), (64, 512)),
        ((0, 100), (100, 100)),  # Envoy's smallest ring has 1024 entries unless it is told otherwise
        ((0, 5000), (0, 5000)),
        ((5000, 0), (5000, 0)),
        ((200, 100), (100, 100)),
        ((2**40, 2**41), (8 * 2**20, 8 * 2**20)),
    ],
)
def test_rings_are_of_a_size_that_envoy_takes(written: tuple[int, int], built: tuple[int, int]) -> None:
    balancing = build_load_balancing(LoadBalancer("ring_hash", ring_hash_config=RingHashConfig(*written)))
    assert (balancing.minimum_ring_size, balancing.maximum_ring_size) == built


@pytest.mark.parametrize(("written", "built"), [(0, 0), (1, 2), (7, 7)])
def test_envoy_compares_two_instances_or_more(written: int, built: int) -> None:
    least = LoadBalancer("least_request", least_request_config=LeastRequestConfig(written))
    assert build_load_balancing(least).choice_count == built


@pytest.mark.parametrize(
    ("cookie", "ttl"),
    [
        (None, None),
        (CookieConfig(), None),
        (CookieConfig(session=True), Duration()),
        (CookieConfig(ttl=HOUR), HOUR),
        (CookieConfig(ttl=Duration(-1)), None),
    ],
)
def test_cookies_are_made_that_have_a_time_to_live(cookie: CookieConfig | None, ttl: Duration | None) -> None:
    written = LoadBalancer("maglev", hash_policies=[HashPolicy("cookie", "c", cookie_config=cookie)])
    assert build_hash_policies(written) == (ir.HashPolicy(HashField.COOKIE, "c", ttl=ttl),)


def test_policies_keep_their_order() -> None:
    written = [HashPolicy("query_parameter", "q", terminal=True), HashPolicy(source_ip=True)]
    assert build_hash_policies(LoadBalancer("ring_hash", hash_policies=written)) == (
        ir.HashPolicy(HashField.QUERY_PARAMETER, "q", terminal=True),
        ir.HashPolicy(HashField.SOURCE_IP),
    )


def test_nothing_is_hashed_where_the_instance_is_not_chosen_by_hash() -> None:
    assert build_hash_policies(LoadBalancer("random", hash_policies=[HashPolicy(source_ip=True)])) == ()

"""State of the world: each request has all names, and a response of clusters or listeners is complete."""

from collections.abc import Callable
from typing import Any

import pytest

from xdsmesh.model.resource import CLUSTER
from xdsmesh.xds.messages import Acked

Make = Callable[..., Any]


def test_an_empty_first_request_for_a_root_type_means_all_of_it(sotw: Make) -> None:
    talk = sotw(CDS="a=1 b=1", LDS="l=1")
    assert talk.ask("CDS") == ["CDS a=1 b=1"]
    talk.ack("CDS")
    assert talk.ask("LDS") == ["LDS l=1"]


def test_a_wildcard_of_nothing_is_answered_once(sotw: Make) -> None:
    talk = sotw()
    assert talk.ask("CDS") == ["CDS"]
    assert talk.ack("CDS") == []


@pytest.mark.parametrize("short", ["EDS", "RDS", "SDS"])
def test_an_empty_first_request_for_other_types_means_nothing(sotw: Make, short: str) -> None:
    talk = sotw(**{short: "x=1"})
    assert talk.ask(short) == []
    assert talk.push(**{short: "x=2"}) == []


def test_both_forms_of_the_wildcard_and_its_end(sotw: Make) -> None:
    talk = sotw(LDS="a=1 b=1")
    assert talk.ask("LDS") == ["LDS a=1 b=1"]
    assert talk.ack("LDS", "* a") == ["LDS a=1 b=1"], "a name was added"
    assert talk.ack("LDS", "a") == []
    assert talk.push(LDS="a=1 b=2") == []
    assert talk.push(LDS="a=2 b=2") == ["LDS a=2"]
    assert talk.ack("LDS", "") == [], "an empty list now means none"
    assert talk.push(LDS="a=3 b=3") == []


def test_a_list_that_grew_is_answered_in_an_ack(sotw: Make) -> None:
    talk = sotw(EDS="a=1 b=1")
    assert talk.ask("EDS", "a") == ["EDS a=1"]
    assert talk.ack("EDS", "a") == []
    assert talk.ack("EDS", "a b") == ["EDS b=1"]


def test_a_list_that_grew_before_the_first_response_is_answered(sotw: Make) -> None:
    talk = sotw(EDS="a=1 b=1")
    talk.ask("EDS", "a")
    assert talk.ask("EDS", "a b") == [], "one response is unanswered"
    assert talk.ack("EDS", "a b") == ["EDS b=1"]


def test_a_list_of_clusters_that_grew_is_answered_with_all_of_them(sotw: Make) -> None:
    talk = sotw(CDS="a=1 b=1 c=1")
    assert talk.ask("CDS", "a") == ["CDS a=1"]
    assert talk.ack("CDS", "a b") == ["CDS a=1 b=1"]


def test_the_order_of_names_does_not_matter(sotw: Make) -> None:
    talk = sotw(EDS="a=1 b=1")
    talk.ask("EDS", "a b")
    assert talk.ack("EDS", "b a a") == []


def test_a_name_that_left_and_comes_back_is_sent_again(sotw: Make) -> None:
    talk = sotw(EDS="a=1 b=1")
    talk.settle("EDS")
    assert talk.ack("EDS", "b") == []
    assert talk.ack("EDS", "a b") == ["EDS a=1"]


def test_unknown_names_hold_up_nothing_and_are_sent_once_they_exist(sotw: Make) -> None:
    talk = sotw(EDS="a=1")
    assert talk.ask("EDS", "a x") == ["EDS a=1"]
    talk.ack("EDS", "a x")
    assert talk.push(EDS="a=1 x=1") == ["EDS x=1"]


def test_endpoints_routes_and_secrets_that_are_gone_are_left_alone(sotw: Make) -> None:
    talk = sotw(EDS="a=1", RDS="r=1", SDS="s=1")
    talk.settle("EDS", "RDS", "SDS")
    assert talk.push(EDS="", RDS="", SDS="") == []
    assert talk.push(EDS="a=1", RDS="r=1", SDS="s=1") == ["EDS a=1", "RDS r=1", "SDS s=1"]


def test_a_stale_request_is_not_answered_but_its_names_are_not_lost(sotw: Make) -> None:
    talk = sotw(EDS="a=1 b=1")
    talk.settle("EDS")
    assert talk.push(EDS="a=2 b=1") == ["EDS a=2"]
    assert talk.ask("EDS", "a b", nonce="0") == []
    assert talk.ack("EDS", "a b") == []


def test_names_in_a_crossing_request_are_served_with_the_ack(sotw: Make) -> None:
    talk = sotw(EDS="a=1 b=1")
    talk.ask("EDS", "a")
    talk.ack("EDS", "a")
    stale = talk.nonces["EDS"]
    talk.push(EDS="a=2 b=1")
    assert talk.ask("EDS", "a b", nonce=stale) == []
    assert talk.ack("EDS", "a b") == ["EDS b=1"]


def test_a_stale_request_with_nothing_unanswered_is_not_answered(sotw: Make) -> None:
    talk = sotw(EDS="a=1 b=1")
    talk.ask("EDS", "a")
    talk.ack("EDS", "a")
    assert talk.ask("EDS", "a b", nonce="stale") == []
    assert talk.ack("EDS", "a b") == ["EDS b=1"]


def test_a_name_from_a_stale_request_is_sent_with_the_next_change(sotw: Make) -> None:
    talk = sotw(EDS="a=1 b=1")
    talk.ask("EDS", "a")
    talk.ack("EDS", "a")
    talk.ask("EDS", "a b", nonce="stale")
    assert talk.push(EDS="a=2 b=1") == ["EDS a=2 b=1"]


def test_a_stale_request_takes_no_name_away(sotw: Make) -> None:
    talk = sotw(EDS="a=1 b=1")
    talk.settle("EDS")
    talk.ask("EDS", "a", nonce="stale")
    assert talk.push(EDS="a=1 b=2") == ["EDS b=2"]


def test_a_nonce_of_an_earlier_stream_is_answered(sotw: Make) -> None:
    talk = sotw(EDS="a=1")
    assert talk.ask("EDS", "a", nonce="17") == ["EDS a=1"]


def test_versions_depend_on_content_alone(sotw: Make) -> None:
    one, other = sotw(CDS="a=1 b=1"), sotw(CDS="b=1 a=1")
    one.ask("CDS")
    other.push(CDS="b=2 a=2", EDS="x=1")
    other.ask("CDS")
    other.ack("CDS")
    assert other.versions["CDS"] != one.versions["CDS"]
    other.push(CDS="b=1 a=1")
    assert other.versions["CDS"] == one.versions["CDS"]


def test_a_client_that_comes_back_with_all_clusters_is_sent_nothing(sotw: Make) -> None:
    before = sotw(CDS="a=1 b=1")
    before.ask("CDS")
    talk = sotw(CDS="a=1 b=1")
    assert talk.ask("CDS", version=before.versions["CDS"]) == []
    assert talk.unchanged == ["CDS"]
    assert talk.push(CDS="a=1 b=2") == ["CDS a=1 b=2"]


def test_a_client_that_comes_back_with_another_version_is_sent_all(sotw: Make) -> None:
    assert sotw(CDS="a=1 b=1").ask("CDS", version="old") == ["CDS a=1 b=1"]


def test_a_version_proves_nothing_of_named_resources(sotw: Make) -> None:
    before = sotw(EDS="a=1")
    before.ask("EDS", "a")
    assert sotw(EDS="a=1").ask("EDS", "a", version=before.versions["EDS"]) == ["EDS a=1"]


def test_clusters_and_listeners_are_sent_whole_others_in_part(sotw: Make) -> None:
    talk = sotw(CDS="a=1 b=1", EDS="a=1 b=1", LDS="l=1 m=1")
    talk.settle("CDS", "EDS", "LDS")
    assert talk.push(EDS="a=2 b=1", LDS="l=2 m=1") == ["EDS a=2", "LDS l=2 m=1"]


def test_a_listener_that_is_gone_is_left_out(sotw: Make) -> None:
    talk = sotw(LDS="l=1 m=1")
    talk.settle("LDS")
    assert talk.push(LDS="l=1") == ["LDS l=1 -m"]
    talk.ack("LDS")
    assert talk.push(LDS="") == ["LDS -l"]


def test_the_first_response_rejected_is_followed_by_silence(sotw: Make) -> None:
    talk = sotw(CDS="a=1 b=1")
    talk.ask("CDS")
    assert talk.nack("CDS") == []
    assert talk.push(CDS="a=2 b=1") == ["CDS a=2 b=1"]
    talk.ack("CDS")
    assert talk.answer == Acked(CLUSTER, talk.nonces["CDS"], in_doubt=False)


def test_names_in_a_rejection_are_served(sotw: Make) -> None:
    talk = sotw(EDS="a=1 b=1")
    talk.ask("EDS", "a")
    assert talk.nack("EDS", "a b") == ["EDS b=1"]


def test_types_that_are_not_served_are_ignored(sotw: Make) -> None:
    talk = sotw(CDS="a=1")
    assert talk.ask("type.googleapis.com/envoy.service.runtime.v3.Runtime", "layer") == []
    assert talk.ask("CDS") == ["CDS a=1"]


def test_a_secret_is_sent_once_it_exists(sotw: Make) -> None:
    talk = sotw()
    assert talk.ask("SDS", "leaf") == []
    assert talk.push(SDS="leaf=1") == ["SDS leaf=1"]

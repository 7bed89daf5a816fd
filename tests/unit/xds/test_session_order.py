"""Make before break: what is sent before what, and what waits for which answer."""

from collections.abc import Callable
from typing import Any

Make = Callable[..., Any]

ALL = ("CDS", "EDS", "LDS", "RDS")


def mesh(make: Make) -> Any:
    talk = make(CDS="o=1", EDS="o=1", LDS="l=1", RDS="r=1")
    talk.settle(*ALL)
    return talk


def test_additions_go_out_in_order(either: Make) -> None:
    talk = either(CDS="static=1", EDS="e=1", LDS="l=1", RDS="r=1", SDS="s=1")
    talk.settle("RDS", "SDS", "EDS", "LDS", "CDS")
    sent = talk.push(EDS="e=2", LDS="l=2", RDS="r=2", SDS="s=2")
    assert sent == ["EDS e=2", "LDS l=2", "RDS r=2", "SDS s=2"]


def test_types_are_answered_in_whatever_order_they_are_asked_for(delta: Make) -> None:
    talk = delta(CDS="a=1", EDS="a=1", LDS="l=1", RDS="r=1")
    assert talk.ask("RDS", "+r") == ["RDS r=1"]
    assert talk.ask("LDS") == ["LDS l=1"]
    assert talk.ask("EDS", "+a") == ["EDS a=1"]


def test_a_new_routed_service_in_delta(delta: Make) -> None:
    talk = mesh(delta)
    assert talk.push(CDS="o=1 n=1", EDS="o=1 n=1", RDS="r=2") == ["CDS n=1"]
    assert talk.ask("EDS", "+n") == ["EDS n=1"], "Envoy asks before it acknowledges the cluster"
    assert talk.ack("CDS") == [], "the endpoints are not acknowledged yet"
    assert talk.ack("EDS") == ["RDS r=2"]


def test_a_new_routed_service_in_sotw(sotw: Make) -> None:
    talk = mesh(sotw)
    assert talk.push(CDS="o=1 n=1", EDS="o=1 n=1", LDS="l=2", RDS="r=2") == ["CDS n=1 o=1"]
    assert talk.ack("EDS", "o n") == ["EDS n=1"]
    assert talk.ack("EDS", "o n") == [], "the clusters are not acknowledged yet"
    assert talk.ack("CDS") == ["LDS l=2", "RDS r=2"]


def test_a_client_without_endpoints_waits_for_no_more_than_the_clusters(delta: Make) -> None:
    talk = delta(CDS="o=1", LDS="l=1", RDS="r=1")
    talk.settle("CDS", "LDS", "RDS")
    assert talk.push(CDS="o=1 n=1", EDS="n=1", RDS="r=2") == ["CDS n=1"]
    assert talk.ack("CDS") == ["RDS r=2"]


def test_a_client_that_never_answers_gets_its_routes_after_five_seconds(delta: Make) -> None:
    talk = mesh(delta)
    assert talk.push(CDS="o=1 n=1", LDS="l=2", RDS="r=2") == ["CDS n=1"]
    assert talk.wait(4.9) == []
    assert talk.wait(0.2) == ["LDS l=2", "RDS r=2"]


def test_time_without_anything_held_up_does_not_count(delta: Make) -> None:
    talk = mesh(delta)
    talk.push(CDS="o=1 n=1")
    assert talk.wait(4) == []
    assert talk.push(RDS="r=2") == []
    assert talk.wait(4) == []
    assert talk.wait(1.1) == ["RDS r=2"]


def test_a_rejected_cluster_holds_up_neither_listeners_nor_routes(either: Make) -> None:
    talk = mesh(either)
    talk.push(CDS="o=1 bad=1", LDS="l=2", RDS="r=2")
    assert talk.nack("CDS") == ["LDS l=2", "RDS r=2"]
    talk.ack("LDS")
    talk.ack("RDS", "" if talk.delta else "r")
    assert talk.push(LDS="l=3") == ["LDS l=3"]


def test_endpoints_that_move_all_the_time_hold_up_no_route(delta: Make) -> None:
    talk = mesh(delta)
    assert talk.push(EDS="o=2") == ["EDS o=2"]
    assert talk.push(RDS="r=2") == ["RDS r=2"]


def test_listeners_wait_for_a_cluster_that_itself_waits_for_an_answer(delta: Make) -> None:
    talk = mesh(delta)
    assert talk.push(CDS="o=1 n=1") == ["CDS n=1"]
    assert talk.push(CDS="o=1 n=1 m=1", LDS="l=2") == []
    assert talk.ack("CDS") == ["CDS m=1"]
    assert talk.ack("CDS") == ["LDS l=2"]


def test_a_retired_service_in_delta(delta: Make) -> None:
    talk = mesh(delta)
    assert talk.push(CDS="", EDS="", RDS="r=2") == ["RDS r=2"]
    assert talk.ack("RDS") == ["CDS -o"]
    assert talk.ask("EDS", "-o") == []
    assert talk.ack("CDS") == []


def test_a_retired_service_in_sotw_stays_in_the_set_until_nothing_uses_it(sotw: Make) -> None:
    talk = mesh(sotw)
    sent = talk.push(CDS="n=1", EDS="n=1", RDS="r=2")
    assert sent == ["CDS n=1 o=1"]
    talk.ack("EDS", "o n")
    talk.ack("EDS", "o n")
    assert talk.ack("CDS") == ["RDS r=2"]
    assert talk.ack("RDS", "r") == ["CDS n=1 -o"]


def test_a_union_has_a_version_of_its_own(sotw: Make) -> None:
    talk = mesh(sotw)
    talk.push(CDS="n=1", RDS="r=2")
    union = talk.versions["CDS"]
    talk.ack("CDS")
    talk.ack("RDS", "r")
    assert talk.versions["CDS"] != union


def test_a_cluster_that_nothing_uses_goes_at_once(either: Make) -> None:
    talk = mesh(either)
    expected = "CDS n=1 -o"
    assert talk.push(CDS="n=1") == [expected]


def test_a_client_that_is_not_told_of_its_endpoints_end_by_its_clusters_is_told(delta: Make) -> None:
    talk = mesh(delta)
    assert talk.push(CDS="", EDS="") == ["CDS -o"]
    assert talk.ack("CDS") == ["EDS -o"], "this client keeps its subscription"


def test_clusters_stay_while_a_rejected_route_may_use_them(delta: Make) -> None:
    talk = mesh(delta)
    talk.push(CDS="", RDS="r=2")
    assert talk.nack("RDS") == []
    assert talk.push(LDS="l=2") == ["LDS l=2"]
    assert talk.ack("LDS") == []
    assert talk.push(RDS="r=3") == ["RDS r=3"]
    assert talk.ack("RDS") == ["CDS -o"]


def test_a_rejected_removal_of_a_cluster_is_made_good_at_the_end_of_a_change(delta: Make) -> None:
    talk = mesh(delta)
    assert talk.push(CDS="") == ["CDS -o"]
    assert talk.nack("CDS") == []
    assert talk.push(CDS="static=1", LDS="l=2") == ["CDS static=1"]
    assert talk.ack("CDS") == ["LDS l=2"]
    assert talk.ack("LDS") == ["CDS -o"]


def test_a_route_goes_after_the_listener_that_names_it(delta: Make) -> None:
    talk = mesh(delta)
    assert talk.push(LDS="l=2", RDS="") == ["LDS l=2"]
    assert talk.ack("LDS") == ["RDS -r"]


def test_a_listener_and_its_successor_change_places_in_one_response(delta: Make) -> None:
    talk = mesh(delta)
    assert talk.push(LDS="m=1") == ["LDS m=1 -l"]


def test_the_latest_view_wins_while_a_step_waits(delta: Make) -> None:
    talk = mesh(delta)
    assert talk.push(CDS="o=1 n=1", RDS="r=2") == ["CDS n=1"]
    assert talk.push(CDS="o=1", RDS="r=3") == []
    assert talk.ack("CDS") == ["RDS r=3"]
    assert talk.ack("RDS") == ["CDS -n"]


def test_endpoints_that_were_to_be_sent_again_stay_as_long_as_their_cluster(delta: Make) -> None:
    talk = mesh(delta)
    talk.push(EDS="o=2")
    assert talk.push(CDS="o=2") == ["CDS o=2"], "the endpoints wait for an answer"
    assert talk.push(CDS="", EDS="", LDS="l=2") == []
    assert talk.ack("EDS") == []
    assert talk.ack("CDS") == ["LDS l=2"]
    assert talk.ack("LDS") == ["CDS -o"]
    assert talk.ack("CDS") == ["EDS -o"]


# A cluster that is sent again stays cold until its endpoints are sent again.


def test_a_changed_cluster_is_followed_by_its_endpoints(delta: Make) -> None:
    talk = delta(CDS="a=1 b=1", EDS="a=1 b=1")
    talk.settle("CDS", "EDS")
    assert talk.push(CDS="a=2 b=1") == ["CDS a=2", "EDS a=1"]


def test_in_sotw_only_changed_clusters_are_followed_by_their_endpoints(sotw: Make) -> None:
    talk = sotw(CDS="a=1 b=1", EDS="a=1 b=1")
    talk.settle("CDS", "EDS")
    assert talk.push(CDS="a=2 b=1") == ["CDS a=2 b=1", "EDS a=1"]


def test_endpoints_follow_even_when_an_earlier_response_of_them_is_unanswered(delta: Make) -> None:
    talk = delta(CDS="a=1", EDS="a=1")
    talk.settle("CDS", "EDS")
    talk.push(EDS="a=2")
    assert talk.push(CDS="a=2") == ["CDS a=2"]
    assert talk.ack("EDS") == ["EDS a=2"]


def test_a_client_that_comes_back_gets_the_endpoints_of_a_cluster_that_changed(delta: Make) -> None:
    talk = delta(CDS="a=2 b=1", EDS="a=1 b=1")
    assert talk.ask("CDS", initial="a=1 b=1") == ["CDS a=2"]
    assert talk.ask("EDS", "+a +b", initial="a=1 b=1") == ["EDS a=1"]


def test_on_a_new_stream_clusters_stay_until_the_routes_that_may_use_them_are_known(delta: Make) -> None:
    talk = delta(CDS="a=1", EDS="a=1", LDS="l=1", RDS="r=2")
    assert talk.ask("CDS", initial="a=1 c=1") == []
    assert talk.ask("EDS", "+a +c", initial="a=1 c=1") == []
    assert talk.ask("LDS", initial="l=1") == []
    assert talk.ask("RDS", "+r", initial="r=1") == ["RDS r=2"]
    assert talk.ack("RDS") == ["CDS -c"]
    assert talk.ask("EDS", "-c") == []
    assert talk.ack("CDS") == []


# Clusters of clusters


def test_a_cluster_in_use_becomes_one_of_clusters_when_those_are_warm(delta: Make) -> None:
    talk = mesh(delta)
    assert talk.push(CDS="o=2|x,y x=1 y=1", EDS="x=1 y=1") == ["CDS x=1 y=1"]
    assert talk.ask("EDS", "+x +y") == ["EDS x=1 y=1"]
    assert talk.ack("CDS") == []
    assert not talk.session.acknowledged(talk.view)
    assert talk.ack("EDS") == ["CDS o=2|x,y"]
    assert talk.ack("CDS", "") == ["EDS -o"]


def test_in_sotw_the_cluster_stays_in_the_set_as_it_was_until_the_others_are_warm(sotw: Make) -> None:
    talk = mesh(sotw)
    assert talk.push(CDS="o=2|x,y x=1 y=1", EDS="x=1 y=1") == ["CDS o=1 x=1 y=1"]
    assert talk.ask("EDS", "o x y", nonce=talk.nonces["EDS"]) == ["EDS x=1 y=1"]
    assert talk.ack("CDS") == []
    assert talk.ack("EDS", "o x y") == ["CDS o=2|x,y x=1 y=1"]


def test_a_cluster_of_clusters_that_nobody_has_in_use_comes_with_them(either: Make) -> None:
    talk = mesh(either)
    sent = talk.push(CDS="o=1 n=1|x x=1", EDS="o=1 x=1", RDS="r=2")
    assert sent == ["CDS n=1|x x=1" if talk.delta else "CDS n=1|x o=1 x=1"]


def test_members_stay_until_the_cluster_that_replaces_them_is_warm(delta: Make) -> None:
    talk = delta(CDS="o=1|x,y x=1 y=1", EDS="x=1 y=1", LDS="l=1", RDS="r=1")
    talk.settle(*ALL)
    assert talk.push(CDS="o=2", EDS="o=1") == ["CDS o=2"]
    assert talk.ask("EDS", "+o") == ["EDS o=1"]
    assert talk.ack("CDS") == []
    assert talk.ack("EDS") == ["CDS -x -y"]


def test_a_new_member_comes_before_the_cluster_that_counts_on_it(delta: Make) -> None:
    talk = delta(CDS="o=1|x x=1", EDS="x=1")
    talk.settle("CDS", "EDS")
    assert talk.push(CDS="o=2|x,y x=1 y=1", EDS="x=1 y=1") == ["CDS y=1"]
    talk.ask("EDS", "+y")
    talk.ack("CDS")
    assert talk.ack("EDS") == ["CDS o=2|x,y"]


def test_a_cluster_of_clusters_waits_for_cold_ones_for_five_seconds(delta: Make) -> None:
    talk = mesh(delta)
    assert talk.push(CDS="o=2|x x=1", EDS="x=1") == ["CDS x=1"]
    talk.ask("EDS", "+x")
    talk.ack("CDS")
    assert talk.wait(5) == ["CDS o=2|x"]


def test_a_cluster_stays_as_it_was_while_one_of_those_that_would_replace_it_is_rejected(delta: Make) -> None:
    talk = mesh(delta)
    assert talk.push(CDS="o=2|x,y x=1 y=1", EDS="x=1 y=1") == ["CDS x=1 y=1"]
    assert talk.nack("CDS", error="no") == []
    assert talk.wait(5) == []
    assert talk.push(CDS="o=2|x,y x=2 y=1") == ["CDS x=2 y=1"]
    talk.ask("EDS", "+x +y")
    assert talk.ack("CDS") == []
    assert talk.ack("EDS") == ["CDS o=2|x,y"]


def test_a_client_that_comes_back_with_cold_members_gets_their_endpoints_first(delta: Make) -> None:
    talk = delta(CDS="o=2|x x=1", EDS="x=1")
    assert talk.ask("CDS", initial="o=1 x=1") == []
    assert talk.ask("EDS", "+x") == ["EDS x=1"]
    assert talk.ack("EDS") == ["CDS o=2|x"]


def test_a_client_that_comes_back_with_warm_members_gets_the_cluster_of_them(delta: Make) -> None:
    talk = delta(CDS="o=2|x x=1", EDS="x=1")
    talk.ask("CDS", initial="o=1 x=1")
    assert talk.ask("EDS", "+x", initial="x=1") == ["CDS o=2|x"]


def test_a_client_that_comes_back_and_never_asks_for_endpoints_waits_a_moment_only(delta: Make) -> None:
    talk = delta(CDS="o=2|x x=1", EDS="x=1")
    talk.ask("CDS", initial="o=1 x=1")
    assert talk.wait(0.25) == ["CDS o=2|x"]


def test_a_cluster_in_doubt_is_in_use_too(delta: Make) -> None:
    talk = mesh(delta)
    assert talk.push(CDS="o=2") == ["CDS o=2", "EDS o=1"]
    talk.nack("CDS", error="no")
    talk.ack("EDS")
    assert talk.push(CDS="o=3|x x=1", EDS="x=1") == ["CDS x=1"]


def test_a_cluster_goes_although_its_endpoints_went_before_they_were_ever_sent(sotw: Make) -> None:
    talk = sotw(CDS="a=1", EDS="a=1")
    assert talk.ask("CDS") == ["CDS a=1"]
    assert talk.push(CDS="", EDS="y=1") == []
    assert talk.ask("EDS", "y") == ["EDS y=1"]
    assert talk.ask("EDS", "a y") == []
    assert talk.ack("CDS") == []
    assert talk.ack("EDS", "a y") == ["CDS -a"]

"""The incremental variant: who wants what, what is answered, and what is left unsaid."""

from collections.abc import Callable
from typing import Any

from xdsmesh.xds.messages import Acked, Rejected

Make = Callable[..., Any]


def test_an_empty_first_request_for_a_root_type_means_all_of_it(delta: Make) -> None:
    talk = delta(CDS="a=1 b=1", LDS="l=1")
    assert talk.ask("CDS") == ["CDS a=1 b=1"]
    talk.ack("CDS")
    assert talk.ask("LDS") == ["LDS l=1"]


def test_a_star_means_all_of_any_type(delta: Make) -> None:
    assert delta(EDS="a=1 b=1").ask("EDS", "+*") == ["EDS a=1 b=1"]


def test_an_empty_first_request_for_other_types_means_nothing(delta: Make) -> None:
    talk = delta(EDS="a=1", RDS="r=1", SDS="s=1")
    assert [talk.ask(short) for short in ("EDS", "RDS", "SDS")] == [[], [], []]


def test_a_wildcard_of_nothing_is_answered_once(delta: Make) -> None:
    talk = delta()
    assert talk.ask("CDS") == ["CDS"]
    assert talk.ack("CDS") == []


def test_only_names_newly_subscribed_are_answered(delta: Make) -> None:
    talk = delta(EDS="a=1 b=1")
    assert talk.ask("EDS", "+a") == ["EDS a=1"]
    talk.ack("EDS")
    assert talk.ask("EDS", "+b") == ["EDS b=1"]


def test_nothing_follows_an_ack(delta: Make) -> None:
    talk = delta(CDS="a=1")
    talk.ask("CDS")
    assert talk.ack("CDS") == []
    assert talk.answer == Acked(talk.session._ordered[0].type_url, "1")
    assert talk.session.deadline is None


def test_a_name_subscribed_again_is_answered_again(delta: Make) -> None:
    talk = delta(EDS="a=1")
    talk.settle("EDS")
    assert talk.ask("EDS", "+a") == ["EDS a=1"]


def test_a_name_that_the_wildcard_covers_is_answered_too(delta: Make) -> None:
    talk = delta(CDS="static=1 other=1")
    talk.ask("CDS")
    talk.ack("CDS")
    assert talk.ask("CDS", "+static") == ["CDS static=1"]


def test_a_name_does_not_end_the_wildcard(delta: Make) -> None:
    talk = delta(CDS="static1=1")
    talk.ask("CDS")
    talk.ack("CDS")
    talk.ask("CDS", "+static1")
    talk.ack("CDS")
    assert talk.push(CDS="static1=1 static2=1") == ["CDS static2=1"]


def test_unsubscribing_a_star_ends_the_wildcard_and_keeps_the_names(delta: Make) -> None:
    talk = delta(CDS="static1=1 static2=1")
    talk.ask("CDS")
    talk.ack("CDS")
    talk.ask("CDS", "+static1")
    talk.ack("CDS")
    assert talk.ask("CDS", "-*") == []
    assert talk.push(CDS="static1=2 static2=2") == ["CDS static1=2"]


def test_after_the_last_name_an_empty_request_means_nothing(delta: Make) -> None:
    talk = delta(CDS="static=1")
    talk.ask("CDS", "+static")
    talk.ack("CDS")
    assert talk.ask("CDS", "-static") == []
    assert talk.ask("CDS") == []
    assert talk.push(CDS="static=2") == []


def test_subscribing_and_unsubscribing_a_star_at_once_wants_nothing(delta: Make) -> None:
    talk = delta(CDS="a=1")
    assert talk.ask("CDS", "+* -*") == []
    assert talk.push(CDS="a=2") == []
    assert talk.ask("CDS", "+a") == ["CDS a=2"]


def test_unsubscribing_a_name_under_a_wildcard_is_answered(delta: Make) -> None:
    talk = delta(CDS="static=1")
    talk.ask("CDS")
    talk.ack("CDS")
    assert talk.ask("CDS", "+static +none") == ["CDS static=1 -none"]
    talk.ack("CDS")
    assert talk.ask("CDS", "-static -none") == ["CDS static=1 -none"]


def test_what_was_never_subscribed_can_be_unsubscribed(delta: Make) -> None:
    talk = delta(EDS="a=1")
    talk.settle("EDS")
    assert talk.ask("EDS", "-phantom") == []


def test_subscribe_comes_before_unsubscribe_in_one_request(delta: Make) -> None:
    talk = delta(EDS="a=1")
    assert talk.ask("EDS", "+a -a") == []
    assert talk.push(EDS="a=2") == []


def test_a_name_that_was_left_is_sent_again_when_it_is_wanted_again(delta: Make) -> None:
    talk = delta(EDS="a=1")
    talk.settle("EDS")
    talk.ask("EDS", "-a")
    assert talk.push(EDS="a=2") == []
    assert talk.ask("EDS", "+a") == ["EDS a=2"]


def test_a_name_that_does_not_exist_is_reported_once_and_sent_when_it_does(delta: Make) -> None:
    talk = delta()
    assert talk.ask("EDS", "+x") == ["EDS -x"]
    assert talk.ack("EDS") == []
    assert talk.push(RDS="r=1") == []
    assert talk.push(EDS="x=1") == ["EDS x=1"]


def test_a_subscription_is_heard_in_an_ack_a_nack_and_with_any_nonce(delta: Make) -> None:
    talk = delta(EDS="a=1 b=1 c=1 d=1")
    talk.ask("EDS", "+a")
    assert talk.ack("EDS", "+b") == ["EDS b=1"]
    assert talk.nack("EDS", "+c") == ["EDS c=1"]
    assert talk.ask("EDS", "+d", nonce="of another stream") == [], "one response is unanswered"
    assert talk.ack("EDS") == ["EDS d=1"]


def test_at_most_one_response_is_unanswered_and_what_comes_between_is_coalesced(delta: Make) -> None:
    talk = delta(EDS="a=1 b=1 c=1")
    assert talk.ask("EDS", "+a +b +c") == ["EDS a=1 b=1 c=1"]
    assert talk.push(EDS="a=2 b=1 c=1") == []
    assert talk.push(EDS="a=3 b=2 c=1") == []
    assert talk.ack("EDS") == ["EDS a=3 b=2"]


def test_a_type_that_waits_for_an_answer_holds_up_no_other(delta: Make) -> None:
    talk = delta(EDS="a=1", SDS="s=1")
    talk.settle("SDS")
    talk.ask("EDS", "+a")
    assert talk.push(EDS="a=2", SDS="s=2") == ["SDS s=2"]


def test_a_response_that_is_never_answered_holds_up_later_ones_for_a_while_only(delta: Make) -> None:
    talk = delta(EDS="a=1 b=1")
    talk.ask("EDS", "+a +b")
    assert talk.push(EDS="a=2 b=1") == []
    assert talk.wait(29) == []
    assert talk.wait(2) == ["EDS a=2 b=1"], "nobody knows what became of b"


def test_a_type_that_nobody_wants_any_more_waits_for_no_answer(delta: Make) -> None:
    talk = delta(EDS="a=1")
    talk.ask("EDS", "+a")
    talk.ask("EDS", "-a")  # Envoy drops the response, and does not answer it
    assert talk.ask("EDS", "+a") == ["EDS a=1"]


def test_deletions_are_told_once(delta: Make) -> None:
    talk = delta(LDS="l=1 m=1")
    talk.settle("LDS")
    assert talk.push(LDS="l=1") == ["LDS -m"]
    talk.ack("LDS")
    assert talk.push(LDS="l=2") == ["LDS l=2"]


def test_an_equal_view_sends_nothing(delta: Make) -> None:
    talk = delta(CDS="a=1", EDS="a=1", LDS="l=1", RDS="r=1", SDS="s=1")
    talk.settle("CDS", "EDS", "LDS", "RDS", "SDS")
    assert talk.push(CDS="a=1", EDS="a=1", LDS="l=1", RDS="r=1", SDS="s=1") == []


def test_types_that_are_not_served_are_reported_missing_and_end_nothing(delta: Make) -> None:
    talk = delta(CDS="a=1")
    runtime = "type.googleapis.com/envoy.service.runtime.v3.Runtime"
    assert talk.ask(runtime, "+layer") == [f"{runtime} -layer"]
    assert talk.ask("CDS") == ["CDS a=1"]


# Secrets and extension configurations: a removal breaks the listener that uses them.


def test_a_secret_is_never_removed_and_is_sent_once_it_exists(delta: Make) -> None:
    talk = delta()
    assert talk.ask("SDS", "+leaf") == []
    assert talk.push(SDS="leaf=1") == ["SDS leaf=1"]
    talk.ack("SDS")
    assert talk.push(SDS="") == []
    assert talk.push(SDS="leaf=1") == ["SDS leaf=1"]


def test_an_extension_configuration_is_never_reported_missing(delta: Make) -> None:
    assert delta().ask("type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", "+filter") == []


# A client that comes back


def test_a_client_that_comes_back_is_sent_the_differences(delta: Make) -> None:
    talk = delta(CDS="a=1 b=2 d=1")
    assert talk.ask("CDS", initial="a=1 b=1 c=1") == []
    assert talk.wait(0.3) == ["CDS b=2 d=1"]
    assert talk.ack("CDS") == ["CDS -c"]


def test_a_client_that_holds_all_is_sent_nothing(delta: Make) -> None:
    talk = delta(CDS="a=1", EDS="a=1", LDS="l=1", RDS="r=1")
    assert talk.ask("CDS", initial="a=1") == []
    assert talk.ask("EDS", "+a", initial="a=1") == []
    assert talk.ask("LDS", initial="l=1") == []
    assert talk.ask("RDS", "+r", initial="r=1") == []
    assert talk.unchanged == ["CDS", "EDS", "LDS", "RDS"]
    assert talk.session.acknowledged(talk.view)


def test_initial_versions_are_no_subscription(delta: Make) -> None:
    talk = delta(EDS="a=2 b=2")
    assert talk.ask("EDS", "+a", initial="a=1 b=1 gone=1") == ["EDS a=2"]


def test_initial_versions_count_in_the_first_request_of_a_type_only(delta: Make) -> None:
    talk = delta(EDS="a=1 b=1")
    talk.settle("EDS")
    assert talk.ask("EDS", "+a", initial="a=1") == ["EDS a=1"]


def test_a_name_that_is_waited_for_is_sent_to_a_client_that_comes_back(delta: Make) -> None:
    talk = delta(EDS="a=1 b=1")
    assert talk.ask("EDS", "+a +b", initial="a=1") == ["EDS b=1"]


def test_an_empty_version_is_a_version(delta: Make) -> None:
    assert delta(CDS="static=1").ask("CDS", initial="static=") == ["CDS static=1"]


def test_a_nonce_of_an_earlier_stream_is_nothing_special(delta: Make) -> None:
    talk = delta(CDS="a=1")
    assert talk.ask("CDS", nonce="17") == ["CDS a=1"]
    assert talk.answer is None


# Rejections


def test_what_was_rejected_is_not_sent_again_until_it_changes(delta: Make) -> None:
    talk = delta(CDS="a=1")
    talk.ask("CDS")
    assert talk.nack("CDS", error="bad a") == []
    assert isinstance(talk.answer, Rejected)
    assert (talk.answer.error, talk.answer.names) == ("bad a", ("a",))
    assert talk.push(EDS="a=1") == []
    assert talk.push(CDS="a=2") == ["CDS a=2"]


def test_the_version_before_is_sent_again_when_a_change_is_taken_back(delta: Make) -> None:
    talk = delta(LDS="l=1")
    talk.settle("LDS")
    talk.push(LDS="l=2")
    talk.nack("LDS")
    assert talk.push(LDS="l=1") == ["LDS l=1"]


def test_all_names_of_a_rejected_response_come_again_with_the_next_change(delta: Make) -> None:
    talk = delta(LDS="bad=1 good=1 fine=1")
    talk.ask("LDS")
    assert talk.nack("LDS", error="something is wrong") == []
    assert talk.push(LDS="bad=2 good=1 fine=1") == ["LDS bad=2 fine=1 good=1"]


def test_what_the_error_names_stays_out_until_it_changes_itself(delta: Make) -> None:
    talk = delta(LDS="bad=1 good=1 fine=1")
    talk.ask("LDS")
    talk.nack("LDS", error="Error adding/updating listener(s) bad: no such filter")
    assert talk.push(LDS="bad=1 good=1 fine=2") == ["LDS fine=2 good=1"]
    assert talk.ack("LDS") == []
    assert isinstance(talk.answer, Acked)
    assert talk.answer.in_doubt
    assert talk.push(LDS="bad=2 good=1 fine=2") == ["LDS bad=2"]
    talk.ack("LDS")
    assert isinstance(talk.answer, Acked)
    assert not talk.answer.in_doubt


def test_a_name_within_a_longer_name_is_not_blamed(delta: Make) -> None:
    talk = delta(CDS="web=1 v1.web=1 other=1")
    talk.ask("CDS")
    talk.nack("CDS", error="Error adding/updating cluster(s) v1.web: bad")
    assert talk.push(CDS="web=1 v1.web=1 other=2") == ["CDS other=2 web=1"]


def test_a_rejected_removal_is_not_repeated_until_something_changes(delta: Make) -> None:
    talk = delta(LDS="l=1 m=1 n=1")
    talk.settle("LDS")
    assert talk.push(LDS="l=1 n=1") == ["LDS -m"]
    assert talk.nack("LDS", error="no") == []
    assert talk.push(LDS="l=2 n=1") == ["LDS l=2 -m"]


def test_a_rejected_word_about_a_missing_name_leaves_no_doubt(delta: Make) -> None:
    talk = delta()
    talk.ask("EDS", "+x")
    talk.nack("EDS")
    assert talk.session.acknowledged(talk.view)


def test_a_name_asked_for_again_is_answered_though_it_was_rejected(delta: Make) -> None:
    talk = delta(EDS="a=1")
    talk.ask("EDS", "+a")
    talk.nack("EDS")
    assert talk.ask("EDS", "+a") == ["EDS a=1"]


def test_a_rejection_of_one_type_holds_up_no_other(delta: Make) -> None:
    talk = delta(CDS="a=1", EDS="a=1", LDS="l=1", RDS="r=1")
    talk.settle("CDS", "EDS", "LDS", "RDS")
    talk.push(CDS="a=2 b=1", EDS="a=1 b=1")
    talk.ack("EDS")
    talk.nack("CDS")
    assert talk.push(LDS="l=2", RDS="r=2") == ["LDS l=2", "RDS r=2"]
    talk.ack("LDS")
    talk.ack("RDS")
    assert talk.push(CDS="b=1") == ["CDS b=1 -a"]


def test_a_rejection_is_known_by_its_error_even_when_that_is_empty(delta: Make) -> None:
    talk = delta(CDS="a=1")
    talk.ask("CDS")
    talk.nack("CDS", error="")
    assert isinstance(talk.answer, Rejected)

from xdsmesh.config.kinds.service_intentions import ServiceIntentions, SourceIntention
from xdsmesh.ir.authorization import Authorization
from xdsmesh.ir.intentions import build_authorization
from xdsmesh.translate.cel import quoted
from xdsmesh.translate.tcp_decisions import make_decision


def authorization(*sources: SourceIntention) -> Authorization:
    return build_authorization(
        ServiceIntentions(name="db", sources=list(sources)),
        None,
        is_http=False,
        allow_by_default=False,
        trust_domain="corp.consul",
    )


def test_each_caller_has_the_text_of_its_decision() -> None:
    text = make_decision(authorization(SourceIntention(name="web", action="deny")))

    named, others = text.removeprefix("%CEL(").removesuffix(")%").split(")%%CEL(")
    assert "in ['web'] ?" in named
    assert r"'intention \u005c1 => db: deny'" in named
    assert "!(re.extract(" in others
    assert "'default: deny'" in others


def test_the_format_grows_with_the_names_only() -> None:
    names = [f"service-{number:04}" for number in range(500)]
    text = make_decision(authorization(*(SourceIntention(name=name, action="deny") for name in names)))

    assert text.count("%CEL(") == 2
    assert len(text) < 3 * sum(map(len, names)) + 1000


def test_no_text_ends_the_command_or_the_literal_that_it_is_in() -> None:
    assert quoted(r"a'b)%\c") == r"'a\u0027b)\u0025\u005cc'"


def test_more_callers_than_an_expression_takes_are_left_out_of_it() -> None:
    names = [f"{number:0100}" for number in range(1000)]
    text = make_decision(authorization(*(SourceIntention(name=name, action="deny") for name in names)))

    assert text == "", "Envoy would refuse the whole listener"

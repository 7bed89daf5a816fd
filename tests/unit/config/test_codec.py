import json
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import field

from xdsmesh.config.codec import decode, encode
from xdsmesh.config.entry import Port, Shape, UInt32
from xdsmesh.config.files import decode_entry
from xdsmesh.config.kinds import KINDS
from xdsmesh.config.syntax import parse
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import RefusedError


class Part(Shape, frozen=True):
    word: str = ""
    inner: "Part | None" = None


class Whole(Shape, frozen=True):
    """One field of each type."""

    UNBUILT: ClassVar[frozenset[str]] = frozenset({"LoadBalancer"})
    ENTERPRISE: ClassVar[frozenset[str]] = frozenset({"RateLimits"})
    IGNORED: ClassVar[frozenset[str]] = frozenset({"ModifyIndex"})

    some_text: str = ""
    flag: bool = False
    count: int = 0
    small: UInt32 = 0
    port: Port = 0
    maybe: int | None = None
    share: float = 0.0
    wait_time: Duration = Duration()
    words: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    part: Part | None = None
    parts: list[Part] = field(default_factory=list)
    named: dict[str, Part] = field(default_factory=dict)
    http: str = field(default="", name="HTTP")


class Open(Shape, frozen=True, rename=None):
    """Any keys, of which two mean something."""

    REST: ClassVar[str] = "others"
    WHOLE: ClassVar[str] = "written"

    limit_ms: int = 0
    part: Part | None = None
    others: dict[str, Any] = field(default_factory=dict)
    written: dict[str, Any] = field(default_factory=dict)


def decoded(value: Any) -> tuple[Whole, list[str]]:
    (root,) = parse("f.json", json.dumps(value).encode(), "json").roots
    result = decode(Whole, root, "f.json")
    return result.value, [f"{problem.place.path}: {problem.what}" for problem in result.problems]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"SomeText": "x"}, Whole(some_text="x")),
        ({"some_text": "x"}, Whole(some_text="x")),
        ({"sometext": "x"}, Whole(some_text="x")),
        ({"SOME_TEXT": "x"}, Whole(some_text="x")),
        ({"http": "x"}, Whole(http="x")),
        ({"some_text": "alias", "SomeText": "canonical"}, Whole(some_text="canonical")),
        ({"SomeText": "canonical", "some_text": "alias"}, Whole(some_text="canonical")),
        ({"SomeText": 1.10}, Whole(some_text="1.1")),
        ({"SomeText": 443}, Whole(some_text="443")),
        ({"Flag": "true"}, Whole(flag=True)),
        ({"Flag": 1}, Whole(flag=True)),
        ({"Flag": "F"}, Whole()),
        ({"Count": "-100"}, Whole(count=-100)),
        ({"Count": 3.0}, Whole(count=3)),
        ({"Count": 2**63 - 1}, Whole(count=2**63 - 1)),
        ({"Maybe": 0}, Whole(maybe=0)),
        ({"Share": "12.5"}, Whole(share=12.5)),
        ({"Share": 3}, Whole(share=3.0)),
        ({"WaitTime": "1m30s"}, Whole(wait_time=Duration.of(seconds=90))),
        ({"WaitTime": 1_000_000}, Whole(wait_time=Duration.of(milliseconds=1))),
        ({"WaitTime": "0"}, Whole()),
        ({"Words": "one"}, Whole(words=["one"])),
        ({"Words": ["one", 2]}, Whole(words=["one", "2"])),
        ({"Words": []}, Whole()),
        ({"Labels": {"a": 1, "B c": "x"}}, Whole(labels={"a": "1", "B c": "x"})),
        ({"Labels": [{"a": "1"}, {"b": "2"}]}, Whole(labels={"a": "1", "b": "2"})),
        ({"Part": {"Inner": {"word": "x"}}}, Whole(part=Part(inner=Part(word="x")))),
        ({"Part": [{"Word": "x"}]}, Whole(part=Part(word="x"))),
        ({"Part": {}}, Whole(part=Part())),
        ({"Parts": {"Word": "x"}}, Whole(parts=[Part(word="x")])),
        ({"Named": {"a": {"Word": "x"}, "b": {}}}, Whole(named={"a": Part(word="x"), "b": Part()})),
        ({"Count": "", "Flag": "", "Share": "", "Port": ""}, Whole()),
        ({"Flag": 1.0}, Whole(flag=True)),
        ({"Part": [], "Words": [], "Labels": [], "Named": [], "Parts": []}, Whole()),
        ({"SomeText": None, "Part": None, "Words": None, "Labels": None, "Count": None}, Whole()),
        ({"ModifyIndex": 17, "LoadBalancer": {}, "rate_limits": None, "Namespace": ""}, Whole()),
        ({"LoadBalancer": {"Policy": "", "HashPolicies": [{"Terminal": False}]}}, Whole()),
    ],
)
def test_weakly_typed_values_are_taken(given: Any, expected: Whole) -> None:
    assert decoded(given) == (expected, [])


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([], "this must be an object, not a list"),
        ("x", 'this must be an object, not "x"'),
        ({"SomeText": True}, "SomeText must be text in quotes, not true"),
        ({"SomeText": {}}, "SomeText must be text, not an object"),
        ({"Flag": "yes"}, 'Flag must be true or false, not "yes"'),
        ({"Flag": 2}, "Flag must be true or false, not 2"),
        ({"Count": 1.5}, "Count must be a whole number, not 1.5"),
        ({"Count": "0x10"}, 'Count must be a whole number, not "0x10"'),
        ({"Count": True}, "Count must be a whole number, not true"),
        (
            {"Count": 2**63},
            "Count must be between -9223372036854775808 and 9223372036854775807, not 9223372036854775808",
        ),
        ({"Small": -1}, "Small must be between 0 and 4294967295, not -1"),
        ({"Port": "65536"}, 'Port must be between 0 and 65535, not "65536"'),
        ({"Maybe": ""}, 'Maybe must be a whole number, not ""'),
        ({"WaitTime": ""}, 'WaitTime must be a duration such as 10s, 1m30s or 250ms, not ""'),
        ({"SomeText": ["x"]}, "SomeText must be text, not a list"),
        ({"Words": ["x"] * 10_001}, "Words has 10,001 items; at most 10,000 are allowed"),
        (
            {"Labels": {str(each): "x" for each in range(10_001)}},
            "Labels has 10,001 items; at most 10,000 are allowed",
        ),
        ({"Maybe": "x"}, 'Maybe must be a whole number, not "x"'),
        ({"Share": "x"}, 'Share must be a number, not "x"'),
        ({"Share": "inf"}, 'Share must be a number, not "inf"'),
        ({"WaitTime": "10"}, 'WaitTime must be a duration such as 10s, 1m30s or 250ms, not "10"'),
        (
            {"WaitTime": 0.5},
            "WaitTime must be a duration such as 10s, or a whole number of nanoseconds, not 0.5",
        ),
        ({"WaitTime": []}, "WaitTime must be a duration, not a list"),
        ({"Labels": "x"}, 'Labels must be an object, not "x"'),
        ({"Labels": [{"a": "1"}, {"a": "2"}]}, '"a" is given twice, first at line 1'),
        ({"Part": [{}, {}]}, "Part must be an object, not a list"),
        ({"Words": ["x", None]}, "Words[1] must be text in quotes, not null"),
        ({"some_text": "x", "SOMETEXT": "y"}, '"SOMETEXT" is given twice, first at line 1'),
        ({"SmeText": "x"}, "unknown key SmeText"),
        ({"LoadBalancer": {"Policy": "random"}}, "LoadBalancer is not built yet"),
        ({"load_balancer": 1}, "load_balancer is not built yet"),
        ({"RateLimits": {"a": 1}}, "RateLimits is a feature of Consul Enterprise, which this is not"),
        ({"Namespace": "ns1"}, "Namespace is a feature of Consul Enterprise, which this is not"),
        (
            {"destination_partition": "p"},
            "destination_partition is a feature of Consul Enterprise, which this is not",
        ),
        ({"SamenessGroup": "s"}, "SamenessGroup is a feature of Consul Enterprise, which this is not"),
    ],
)
def test_a_value_that_does_not_fit_is_explained(given: Any, problem: str) -> None:
    _, problems = decoded(given)

    assert [text.partition(": ")[2] for text in problems] == [problem]


def test_all_problems_are_found_at_once_with_their_paths() -> None:
    value, problems = decoded(
        {
            "Count": "x",
            "Words": [[], "a"],
            "Labels": {"a": {}, "b": "kept"},
            "Part": {"Inner": {"Wrd": "x"}},
            "Parts": [1, {"Word": "kept"}, {"Word": []}],
            "Named": {"v1.0": {"Word": False}},
        }
    )

    assert problems == [
        'Count: Count must be a whole number, not "x"',
        "Words[0]: Words[0] must be text, not a list",
        'Labels["a"]: Labels["a"] must be text, not an object',
        "Part.Inner.Wrd: unknown key Wrd",
        "Parts[0]: Parts[0] must be an object, not 1",
        "Parts[2].Word: Word must be text, not a list",
        'Named["v1.0"].Word: Word must be text in quotes, not false',
    ]
    assert value.labels == {"b": "kept"}
    assert [part.word for part in value.parts] == ["", "kept", ""]


def test_a_suggestion_is_spelled_as_the_writer_spells() -> None:
    (root,) = parse("f.json", b'{"SmeText": 1, "sme_text": 1, "colour": 1}', "json").roots

    remedies = [problem.remedy for problem in decode(Part, root, "").problems]
    assert remedies == ["the keys here are Inner, Word"] * 3
    remedies = [problem.remedy for problem in decode(Whole, root, "").problems]
    assert remedies[:2] == ["did you mean SomeText?", "did you mean some_text?"]
    assert remedies[2].startswith("the keys here are Count, Flag, HTTP, ")


def test_a_body_is_refused_with_the_paths_of_its_problems() -> None:
    body = b'{"Kind": "service-splitter", "Name": "web", "Splits": [{"Wight": 100}, {"Weight": "x"}]}'

    with pytest.raises(RefusedError) as refused:
        decode_entry(body)

    assert [str(problem) for problem in refused.value.problems] == [
        "Splits[0].Wight: XM0203 unknown key Wight (did you mean Weight?)",
        'Splits[1].Weight: XM0207 Weight must be a number, not "x"',
    ]


def test_encoding_leaves_out_what_is_default_and_keeps_what_is_not() -> None:
    whole = Whole(
        some_text="x",
        maybe=0,
        wait_time=Duration.of(seconds=90),
        part=Part(),
        named={"v1": Part(word="y")},
        http="z",
    )

    assert encode(whole) == {
        "SomeText": "x",
        "Maybe": 0,
        "WaitTime": "1m30s",
        "Part": {},
        "Named": {"v1": {"Word": "y"}},
        "HTTP": "z",
    }


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
parts = st.recursive(st.none(), lambda inner: st.builds(Part, word=texts, inner=inner), max_leaves=3)
filled_parts = st.builds(Part, word=texts, inner=parts)
wholes = st.builds(
    Whole,
    some_text=texts,
    flag=st.booleans(),
    count=st.integers(-(2**63), 2**63 - 1),
    small=st.integers(0, 2**32 - 1),
    port=st.integers(0, 65535),
    maybe=st.none() | st.integers(-5, 5),
    share=st.floats(allow_nan=False, allow_infinity=False),
    wait_time=st.integers(-(2**63), 2**63 - 1).map(Duration),
    words=st.lists(texts, max_size=3),
    labels=st.dictionaries(texts, texts, max_size=3),
    part=parts,
    parts=st.lists(filled_parts, max_size=2),
    named=st.dictionaries(texts, filled_parts, max_size=2),
    http=texts,
)


@given(wholes)
def test_what_is_encoded_decodes_to_the_same(whole: Whole) -> None:
    assert decoded(encode(whole)) == (whole, [])


keys = st.sampled_from(
    [item for kind in KINDS.values() for item in (*kind.__struct_encode_fields__, *kind.__struct_fields__)]
    + ["HTTP", "Service", "Weight", "Filter", "PathPrefix", "Namespace", "x", ""]
)
junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=15,
)


@given(kind=st.sampled_from(sorted(KINDS)), fields=st.dictionaries(keys, junk, max_size=6))
def test_any_tree_is_an_entry_or_refused(kind: str, fields: dict[str, Any]) -> None:
    body = json.dumps({**fields, "Kind": kind}).encode()

    with suppress(RefusedError):
        entry = decode_entry(body)
        assert isinstance(entry, KINDS[kind])
        assert entry.normalize() == entry


def test_a_shape_may_keep_all_that_was_written() -> None:
    value = {"LimitMs": "5", "part": {"word": "x"}, "others": [None, 1.5], "written": {"Written": True}}
    (root,) = parse("f.json", json.dumps(value).encode(), "json").roots
    kept = decode(Open, root, "f.json").value

    others = {"others": [None, 1.5], "written": {"Written": True}}
    assert kept == Open(limit_ms=5, part=Part(word="x"), others=others, written=value)
    assert encode(kept) == value


def test_what_is_wrong_in_all_that_was_written_is_told_once() -> None:
    (root,) = parse("f.json", b'{"limit_ms": 1e999, "other": 1e999}', "json").roots

    assert [problem.place.path for problem in decode(Open, root, "f.yaml").problems] == ["limit_ms", "other"]


def test_the_only_namespace_and_partition_may_be_named() -> None:
    assert decoded({"Namespace": "default", "destination_partition": "default"}) == decoded({})

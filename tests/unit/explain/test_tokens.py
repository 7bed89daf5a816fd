"""When the demand of a token is met."""

from typing import Any

import pytest

from xdsmesh.config.parts.jwt_requirement import ClaimCheck, JWTRequirement, RequiredProvider
from xdsmesh.explain.tokens import is_met


def demand(**providers: dict[str, str]) -> JWTRequirement:
    """By provider, claims by their path with dots."""
    return JWTRequirement(
        [
            RequiredProvider(name, [ClaimCheck(path.split("."), value) for path, value in claims.items()])
            for name, claims in providers.items()
        ]
    )


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ({}, False),
        ({"other": {"role": "admin"}}, False),
        ({"okta": {}}, True),
        ({"google": {}}, False),
        ({"google": {"role": "admin"}}, False),
        ({"google": {"role": "admin", "org": {"unit": "pay"}}}, True),
        ({"google": {"role": "admin", "org": {"unit": "dev"}}}, False),
        ({"google": {}, "okta": {}}, True),
    ],
)
def test_one_provider_is_enough_with_all_of_its_claims(tokens: dict[str, Any], *, expected: bool) -> None:
    requirement = demand(okta={}, google={"role": "admin", "org.unit": "pay"})
    assert is_met(requirement, tokens) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("admin", True),
        ("Admin", False),
        ("admin ", False),
        ("", False),
        (["admin"], True),
        (["dev", "admin"], True),
        (["dev"], False),
        ([], False),
        ([["admin"]], False),
        ({"admin": "admin"}, False),
        (None, False),
    ],
)
def test_a_claim_is_equal_or_a_list_that_holds_it(value: object, *, expected: bool) -> None:
    assert is_met(demand(okta={"role": "admin"}), {"okta": {"role": value}}) is expected


@pytest.mark.parametrize(("value", "text"), [(1, "1"), (True, "true"), ([1], "1"), (None, "null")])
def test_what_is_no_string_is_equal_to_none(value: object, text: str) -> None:
    assert not is_met(demand(okta={"n": text}), {"okta": {"n": value}})


def test_a_claim_inside_of_what_is_no_object_is_not_there() -> None:
    requirement = demand(okta={"a.b": "x"})
    for value in ("x", ["b"], [{"b": "x"}], {"c": "x"}):
        assert not is_met(requirement, {"okta": {"a": value}})


def test_of_no_provider_there_is_no_token() -> None:
    assert not is_met(JWTRequirement(), {"okta": {}})

"""A filter that can be read may still not fit an instance."""

import pytest

from xdsmesh.config.filter import FilterTypeError, check, parse
from xdsmesh.model.catalog import Instance


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("service.Port == 8080", "there is no selector service.Port: did you mean Service.Port?"),
        (
            "ServiceMeta.env == prod",
            "there is no selector ServiceMeta.env: did you mean Service.Meta.env?",
        ),
        (
            "Nonsense == 1",
            "there is no selector Nonsense: selectors begin with Node, Service, Checks",
        ),
        (
            "Service.Weights == 1",
            "no single value, select one of its fields: Service.Weights.Passing, Service.Weights.Warning",
        ),
        (
            "Service.Meta.a.b == 1",
            "there is no selector Service.Meta.a.b: did you mean Service.Meta.b?",
        ),
        ("Service.Port == high", 'Service.Port is a number, and "high" is not a whole number'),
        ("Service.Port == 8080.0", 'Service.Port is a number, and "8080.0" is not a whole number'),
        ("Service.EnableTagOverride == maybe", 'is a truth value, and "maybe" is neither true nor false'),
        ("Service.EnableTagOverride matches true", "is a truth value, which allows no 'matches', only =="),
        ("Service.TaggedAddresses.lan.Port == x", 'Port is a number, and "x" is not a whole number'),
        ("Service.TaggedAddresses.lan == x", "select one of its fields: Service.TaggedAddresses.lan.Address"),
        ("Service.Proxy.Config is empty", "there is no selector Service.Proxy.Config"),
        ("Checks is empty or Checks.Statu == x", "did you mean Checks.Status?"),
        ('"80" in Service.Port', "Service.Port is a number, which allows no 'in', only =="),
        (
            "Service.Tags == a",
            "Service.Tags is a list of texts, which allows no '==', only in, contains, is empty",
        ),
        ("Service.Meta != a", "Service.Meta is a map, which allows no '!=', only in, contains, is empty"),
        ("Service.Meta.k is empty", "Service.Meta.k is a text, which allows no 'is empty', only"),
        ("Checks == a", "Checks is a list of objects, which allows no '==', only is empty"),
        ('Service.Meta.v matches "("', '"(" is not a regular expression of RE2: missing )'),
        ('Service.Meta.v matches "a(?=b)"', "is not a regular expression of RE2"),
    ],
)
def test_what_does_not_fit_is_told_and_never_evaluated(instance: Instance, text: str, problem: str) -> None:
    filter_ = parse(text)
    (told,) = check(filter_)
    assert problem in told
    with pytest.raises(FilterTypeError) as caught:
        filter_.matches(instance)
    assert caught.value.problems == (told,)


def test_all_problems_are_told_at_once_even_those_that_would_never_be_reached() -> None:
    assert len(check(parse("Service.Port == 1 or (Service.Port == x and not Servic.ID == y)"))) == 2


def test_a_filter_that_fits_has_no_problems() -> None:
    assert check(parse("Service.Meta.version == 1 and Checks is not empty")) == ()

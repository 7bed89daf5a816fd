"""Filters of API requests: the fields of a reply's rows are the selectors."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Literal

import pytest
from msgspec import Struct, field, structs

from xdsmesh.api.shapes import AgentService, HealthCheck, HealthRow, ServiceNode
from xdsmesh.config.filter import FilterSyntaxError, FilterTypeError, instances, rows
from xdsmesh.config.kinds.service_defaults import ServiceDefaults


class Colour(StrEnum):
    RED = "red"


class Part(Struct, rename="pascal"):
    name: str
    size: int = 0
    labels: dict[str, str] = field(default_factory=dict)


class Row(Struct, rename="pascal"):
    """One field of everything that a reply can show."""

    id: str = field(default="r-1", name="ID")
    count: int = 3
    share: float = 0.5
    open: bool = True
    colour: Colour = Colour.RED
    mode: Literal["local", "remote"] = "local"
    tags: list[str] = field(default_factory=lambda: ["a", "b"])
    codes: tuple[int, ...] = (80, 443)
    meta: dict[str, str] = field(default_factory=lambda: {"env": "prod"})
    addresses: dict[str, Part] = field(default_factory=lambda: {"lan": Part("eth0", 7)})
    part: Part = field(default_factory=lambda: Part("main", 1))
    parts: list[Part] = field(default_factory=lambda: [Part("x", 1), Part("y", 2, {"k": "v"})])
    maybe: Part | None = None
    note: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    anything: Any = None
    limits: dict[str, int | str] = field(default_factory=lambda: {"max": 1})
    modify_index: int = 7


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("ID == `r-1` and Count == 3", True),
        ('Count == "0x3"', True),
        ("Share == 0.5", True),
        ("Share != 0.50", False),
        ("Open == true", True),
        ("Open == 1", True),
        ("Open != t", False),
        ("Colour == red and Mode == local", True),
        ("Colour matches `^r`", True),
        ("a in Tags and Tags not contains c", True),
        ("80 in Codes", True),
        ('Codes contains "0x50"', True),
        ("81 in Codes or Codes is empty", False),
        ("Meta.env == prod and env in Meta", True),
        ('Meta["env"] contains ro', True),
        ("Meta.missing == ``", False),
        ("Meta.missing matches x", True),
        ("Addresses.lan.Name == eth0 and Addresses.lan.Size == 7", True),
        ("Addresses.wan.Size == 0", False),
        ("Addresses.wan.Size != 7", True),
        ("Addresses.wan.Labels is empty", True),
        ("Addresses.wan.Labels is not empty", False),
        ("Part.Name == main", True),
        ("Parts.Name == y and Parts.Size == 1", True),
        ("Parts.Name != y", True),
        ("not Parts.Name == y", False),
        ("Parts.Labels.k == v", True),
        ("Parts.Labels is empty", True),
        ("Parts is empty", False),
        ("Maybe.Name == `` and Maybe.Size == 0 and Maybe.Labels is empty", True),
        ("Maybe.Labels.k != v", True),
        ("Note == ``", True),
        ("max in Limits", True),
    ],
)
def test_a_row_is_selected_by_what_it_shows(text: str, expected: bool) -> None:  # noqa: FBT001 - a column
    assert rows(text, Row)(Row()) is expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id == x", "there is no selector id: did you mean ID?"),
        ("Maybe.Nam == x", "did you mean Maybe.Name?"),
        ("Xyzzy == 1", "selectors begin with ID, Count, Share, Open, Colour, Mode, Tags, Codes, ..."),
        ("Count == many", 'Count is a number, and "many" is not a whole number'),
        ("Share == half", 'Share is a decimal number, and "half" is not a decimal number'),
        ("Open == yes", 'Open is a truth value, and "yes" is neither true nor false'),
        ("http in Codes", 'Codes is a list of numbers, and "http" is not a whole number'),
        ("Part is empty", "Part is no single value, select one of its fields: Part.Name, Part.Size"),
        ("ModifyIndex == 7", "there is no selector ModifyIndex"),
        ("Config is empty", "there is no selector Config"),
        ("Anything == 1", "there is no selector Anything"),
        ("Limits.max == 1", "there is no selector Limits.max"),
    ],
)
def test_what_rows_do_not_have_is_told(text: str, problem: str) -> None:
    with pytest.raises(FilterTypeError) as caught:
        rows(text, Row)
    assert problem in str(caught.value)


def test_what_is_no_filter_is_told_with_its_place() -> None:
    with pytest.raises(FilterSyntaxError, match="column 6: expected a value"):
        rows("ID == ", Row)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("Kind == `connect-proxy` and Proxy.DestinationServiceName == web", AgentService),
        ("Proxy.Upstreams.LocalBindPort == 9191 and Weights.Passing == 1", AgentService),
        ("ServiceName == web and NodeMeta.rack == r7 and a in ServiceTags", ServiceNode),
        ("TaggedAddresses.lan == `10.0.0.1` or ServiceEnableTagOverride == true", ServiceNode),
    ],
)
def test_the_replies_of_the_api_can_be_filtered(text: str, shape: type[Struct]) -> None:
    rows(text, shape)


def test_config_entries_are_selected_by_their_kind_too() -> None:
    web = ServiceDefaults(name="web", protocol="http")
    assert rows("Kind == `service-defaults` and Protocol == http", ServiceDefaults)(web)
    assert not rows("Kind != `service-defaults`", ServiceDefaults)(web)


def test_what_a_health_row_shows_can_be_selected() -> None:
    """The rows are selected as instances are: whoever reads a row finds its fields there."""
    for text in _selectors(HealthRow):
        instances(text)


def test_what_does_not_fit_instances_is_told() -> None:
    with pytest.raises(FilterTypeError, match=r"no selector Service\.Bogus"):
        instances("Service.Bogus == 1")


def _selectors(shape: type[Struct], path: str = "") -> Iterator[str]:
    """A filter for each field of a reply that is text, at any depth."""
    for each in structs.fields(shape):
        name = f"{path}{each.encode_name}"
        if isinstance(each.type, type) and issubclass(each.type, Struct):
            yield from _selectors(each.type, f"{name}.")
        elif each.type is str:
            yield f"{name} == x"
        elif each.type == list[HealthCheck]:
            yield from _selectors(HealthCheck, f"{name}.")

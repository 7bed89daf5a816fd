"""The rules of every kind: one file of cases each."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from xdsmesh.config.codec import encode
from xdsmesh.config.entry import Entry
from xdsmesh.config.files import decode_entry, parse_file
from xdsmesh.config.kinds import ENTERPRISE_KINDS, INTERNAL_KINDS, KINDS
from xdsmesh.config.kinds.proxy_defaults import ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_router import ServiceRouter
from xdsmesh.config.kinds.service_splitter import ServiceSplitter

CASES = Path(__file__).with_name("cases")
ALL_CASES: list[dict[str, Any]] = [
    {"kind": file.stem, **case}
    for file in sorted(CASES.glob("*.yaml"))
    for case in yaml.safe_load(file.read_text())
]


def title(case: dict[str, Any]) -> str:
    return f"{case['kind']}: {case['name']}"


def read(hcl: str) -> Entry:
    parsed = parse_file("case.hcl", hcl.encode())
    assert not parsed.problems
    return parsed.entries[0].value


@pytest.mark.parametrize("case", ALL_CASES, ids=title)
def test_a_case_has_exactly_its_problems(case: dict[str, Any]) -> None:
    parsed = parse_file("case.hcl", case["hcl"].encode())

    found = [str(problem).removeprefix("case.hcl:") for problem in parsed.problems]
    assert found == case.get("problems", [])
    assert bool(parsed.entries) != bool(parsed.problems)


@pytest.mark.parametrize("case", [case for case in ALL_CASES if "problems" not in case], ids=title)
def test_an_entry_survives_encoding(case: dict[str, Any]) -> None:
    entry = read(case["hcl"])

    body = json.dumps({"Kind": entry.KIND, **encode(entry)}).encode()

    assert decode_entry(body) == entry


def test_every_kind_has_cases() -> None:
    assert {file.stem for file in CASES.glob("*.yaml")} == set(KINDS)


def test_no_kind_is_both_built_and_refused() -> None:
    assert not (ENTERPRISE_KINDS | INTERNAL_KINDS) & set(KINDS)


def test_writes_are_ordered_so_that_nothing_refers_to_what_comes_later() -> None:
    ranked = [kind.KIND for kind in sorted(KINDS.values(), key=lambda kind: kind.RANK)]

    for earlier, later in (
        ("mesh", "proxy-defaults"),
        ("proxy-defaults", "service-defaults"),
        ("service-defaults", "service-resolver"),
        ("service-resolver", "service-splitter"),
        ("service-splitter", "service-router"),
        ("service-router", "service-intentions"),
        ("jwt-provider", "service-intentions"),
        ("service-router", "exported-services"),
        ("service-router", "ingress-gateway"),
        ("service-defaults", "terminating-gateway"),
        ("inline-certificate", "api-gateway"),
        ("file-system-certificate", "api-gateway"),
        ("api-gateway", "http-route"),
        ("api-gateway", "tcp-route"),
        ("service-router", "http-route"),
    ):
        assert ranked.index(earlier) < ranked.index(later)


def test_the_older_place_of_prefix_rewrite_moves_to_the_destination() -> None:
    router = read("""
        Kind = "service-router"
        Name = "web"
        Routes {
          Match { HTTP { PathPrefix = "/admin", PrefixRewrite = "/", Methods = "put" } }
        }
    """)

    assert isinstance(router, ServiceRouter)
    (route,) = router.routes
    assert route.destination is not None
    assert route.destination.prefix_rewrite == "/"
    assert route.match is not None
    assert route.match.http is not None
    assert route.match.http.prefix_rewrite == ""
    assert route.match.http.methods == ["PUT"]


def test_a_match_alone_gets_no_destination() -> None:
    router = read('Kind = "service-router", Name = "web", Routes { Match { HTTP { PathPrefix = "/" } } }')

    assert isinstance(router, ServiceRouter)
    assert router.routes[0].destination is None


@pytest.mark.parametrize(
    ("weights", "hundredths"),
    [
        (("34", "33", "33"), [3400, 3300, 3300]),
        (("99.999", "0.001"), [10000, 0]),
        (("0.285", "99.71"), [29, 9971]),
        (("33.33", "33.33", "33.34"), [3333, 3333, 3334]),
    ],
)
def test_weights_are_rounded_to_hundredths_half_away_from_zero(
    weights: tuple[str, ...], hundredths: list[int]
) -> None:
    splits = ", ".join(
        f'{{ Weight = {weight}, Service = "s{index}" }}' for index, weight in enumerate(weights)
    )

    splitter = read(f'Kind = "service-splitter", Name = "web", Splits = [{splits}]')

    assert isinstance(splitter, ServiceSplitter)
    assert [split.hundredths for split in splitter.splits] == hundredths


def test_protocols_are_lower_case() -> None:
    service = read('Kind = "service-defaults", Name = "web", Protocol = "HTTP"')
    proxy = read('Kind = "proxy-defaults", Config { Protocol = "gRPC" }')

    assert isinstance(service, ServiceDefaults)
    assert isinstance(proxy, ProxyDefaults)
    assert (service.protocol, proxy.name, proxy.config.protocol) == ("http", "global", "grpc")


@pytest.mark.parametrize(
    ("hcl", "services"),
    [
        ('Kind = "service-resolver", Name = "web", Redirect { Service = "api" }', {"api"}),
        ('Kind = "service-resolver", Name = "web", Redirect { Datacenter = "dc2" }', set()),
        (
            """
            Kind = "service-splitter"
            Name = "web"
            Splits = [{ Weight = 50 }, { Weight = 50, Service = "api" }]
            """,
            {"api"},
        ),
        (
            """
            Kind = "service-router"
            Name = "web"
            Routes { Destination { Service = "api" } }
            Routes { Destination { Service = "web" } }
            Routes { Destination { ServiceSubset = "v1" } }
            Routes {}
            """,
            {"api"},
        ),
        ('Kind = "service-defaults", Name = "web"', set()),
    ],
)
def test_an_entry_knows_the_other_services_that_it_names(hcl: str, services: set[str]) -> None:
    assert read(hcl).references() == services


def test_a_long_regular_expression_is_refused() -> None:
    routes = f'Routes {{ Match {{ HTTP {{ PathRegex = "{"a" * 4097}" }} }} }}'
    parsed = parse_file("case.hcl", f'Kind = "service-router", Name = "web", {routes}'.encode())

    (problem,) = parsed.problems
    assert problem.what == "a regular expression of 4097 bytes is too long; at most 4096 are allowed"


@pytest.mark.parametrize(
    ("meta", "what"),
    [
        ({f"k{number}": "v" for number in range(65)}, "Meta has 65 pairs; at most 64 are allowed"),
        ({"k" * 129: "v"}, "a key of Meta has from 1 to 128 characters, not 129"),
        ({"k": "v" * 513}, "a value of Meta has at most 512 characters, not 513"),
    ],
)
def test_meta_has_limits(meta: dict[str, str], what: str) -> None:
    body = json.dumps({"Kind": "service-defaults", "Name": "web", "Meta": meta})

    parsed = parse_file("case.json", body.encode())

    assert [problem.what for problem in parsed.problems] == [what]


def test_meta_up_to_its_limits_is_taken() -> None:
    meta = {f"{number:0128}": "v" * 512 for number in range(64)}

    parsed = parse_file(
        "case.json", json.dumps({"Kind": "service-defaults", "Name": "web", "Meta": meta}).encode()
    )

    assert parsed.entries[0].value.meta == meta

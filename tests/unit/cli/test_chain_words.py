"""What the parts of a chain say in a tree; parts as the API answers them."""

from typing import Any

import pytest

from xdsmesh.cli.chain_words import destination_words, load_balancer_words, match_words, target_words


@pytest.mark.parametrize(
    ("http", "words"),
    [
        ({}, "every request"),
        ({"PathPrefix": "/"}, "every request"),
        ({"PathPrefix": "/", "Methods": ["GET", "PUT"]}, "paths that begin with /, GET or PUT"),
        ({"PathExact": "/a", "CaseInsensitive": True}, "path /a in any case"),
        ({"PathRegex": "/a.*"}, "paths that match /a.*"),
        (
            {"Header": [{"Name": "x", "Exact": "1"}, {"Name": "y", "Suffix": "z"}]},
            "header x is 1, header y ends with z",
        ),
        ({"Header": [{"Name": "x", "Present": True, "Invert": True}]}, "not header x is there"),
        ({"Header": [{"Name": "x", "Regex": "a+"}]}, "header x matches a+"),
        (
            {"QueryParam": [{"Name": "q", "Present": True}, {"Name": "r", "Regex": "a"}]},
            "query q is there, query r matches a",
        ),
    ],
)
def test_what_a_route_takes(http: dict[str, Any], words: str) -> None:
    assert match_words({"Match": {"HTTP": http}} if http else {}) == words


@pytest.mark.parametrize(
    ("destination", "words"),
    [
        ({"Service": "a"}, []),
        ({"RequestTimeout": "5s", "IdleTimeout": "1m"}, ["answer within 5s", "idle for at most 1m"]),
        ({"NumRetries": 2}, ["retried 2 times"]),
        (
            {"RetryOnConnectFailure": True, "RetryOn": ["5xx"], "RetryOnStatusCodes": [404]},
            ["retried once on connect-failure, 5xx, 404"],
        ),
        (
            {"RequestHeaders": {"Add": {"a": "1", "b": "2"}}, "ResponseHeaders": {"Remove": ["c", "d"]}},
            ["add request header a: 1, b: 2", "remove response header c, d"],
        ),
    ],
)
def test_what_a_route_does(destination: dict[str, Any], words: list[str]) -> None:
    assert destination_words({"Destination": destination}) == words


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"Datacenter": "dc1"}, ["in dc1"]),
        ({"Datacenter": "", "Peer": "east"}, ["in peer east"]),
        ({"Datacenter": "dc1", "Subset": {"OnlyPassing": True}}, ["in dc1", "only if passing"]),
        ({"Datacenter": "dc1", "External": True, "SNI": "a.b"}, ["in dc1", "outside the mesh, SNI a.b"]),
    ],
)
def test_where_a_target_is(target: dict[str, Any], words: list[str]) -> None:
    assert target_words(target) == words


@pytest.mark.parametrize(
    ("balancer", "words"),
    [
        ({}, []),
        ({"Policy": "random"}, ["random"]),
        (
            {
                "Policy": "maglev",
                "HashPolicies": [{"SourceIP": True}, {"Field": "query_parameter", "FieldValue": "q"}],
            },
            ["maglev by source IP, query parameter q"],
        ),
    ],
)
def test_how_instances_share_requests(balancer: dict[str, Any], words: list[str]) -> None:
    assert load_balancer_words({"LoadBalancer": balancer}) == words

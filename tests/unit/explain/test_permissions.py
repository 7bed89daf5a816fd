"""Which requests a permission is about. How values compare was observed on RBAC of Envoy 1.40."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from xdsmesh.config.parts.permission import HTTPPermission
from xdsmesh.explain.permissions import InboundRequest, depends_on_certificate, is_about

Headers = tuple[tuple[str, str], ...]


def about(
    conditions: dict[str, Any], *headers: tuple[str, str], path: str = "/", method: str = "GET"
) -> bool:
    return is_about(msgspec.convert(conditions, HTTPPermission), InboundRequest(method, path, headers))


def x(*values: str) -> Headers:
    return tuple(("x-a", value) for value in values)


@pytest.mark.parametrize(
    ("conditions", "matching", "others"),
    [
        ({"PathExact": "/a"}, ["/a", "/a?b", "/a?b#c", "/a#b", "/a?/../b"], ["/a/", "/A", "/ab", "/"]),
        ({"PathPrefix": "/a"}, ["/a", "/ab", "/a/b", "/a?b"], ["/", "/b/a", "/b?/a", "/A"]),
        ({"PathRegex": "/a[0-9]+"}, ["/a1", "/a12?x"], ["/a", "/a1b", "/b/a1", "/a?1"]),
        ({"PathRegex": ".*b"}, ["/ab"], ["/a?b"]),
        ({"Methods": ["GET"]}, ["/a", "/"], []),
    ],
)
def test_a_path_has_neither_query_nor_fragment(
    conditions: dict[str, Any], matching: list[str], others: list[str]
) -> None:
    for path in matching:
        assert about(conditions, path=path)
    for path in others:
        assert not about(conditions, path=path)


@pytest.mark.parametrize(
    ("condition", "matching", "others"),
    [
        ({"Present": True}, [x("a"), x(""), x("a", "b")], [()]),
        ({"Exact": "a"}, [x("a"), x("b", "a"), x("a", "b")], [(), x(""), x("b"), x("a,b"), x("A"), x("ab")]),
        ({"Exact": "a,b"}, [x("a,b")], [x("a", "b")]),
        ({"Prefix": "a"}, [x("a"), x("ab"), x("b", "ab")], [(), x("ba"), x("A")]),
        ({"Suffix": "a"}, [x("a"), x("ba"), x("ba", "b")], [(), x("ab"), x("A")]),
        ({"Contains": "a"}, [x("a"), x("bac"), x("b", "bac")], [(), x("b"), x("A")]),
        ({"Regex": "a.*"}, [x("a"), x("ab"), x("b", "a")], [(), x("ba"), x("A")]),
        ({"Exact": "aB", "IgnoreCase": True}, [x("aB"), x("Ab")], [(), x("abc")]),
        ({"Prefix": "aB", "IgnoreCase": True}, [x("Abc")], [(), x("cab")]),
        ({"Suffix": "aB", "IgnoreCase": True}, [x("cAb")], [(), x("abc")]),
        ({"Contains": "aB", "IgnoreCase": True}, [x("cAbc"), x("c", "ABC")], [(), x("acb")]),
        ({"Contains": "é", "IgnoreCase": True}, [x("é")], [x("É")]),
    ],
)
def test_a_header_meets_its_condition_or_not_and_inverted_the_other_way_round(
    condition: dict[str, Any], matching: list[Headers], others: list[Headers]
) -> None:
    for headers in matching:
        assert about({"Header": [{"Name": "x-a", **condition}]}, *headers)
        assert not about({"Header": [{"Name": "x-a", "Invert": True, **condition}]}, *headers)
    for headers in others:
        assert not about({"Header": [{"Name": "x-a", **condition}]}, *headers)
        assert about({"Header": [{"Name": "x-a", "Invert": True, **condition}]}, *headers)


def test_names_of_headers_are_the_same_in_any_case() -> None:
    assert about({"Header": [{"Name": "X-A", "Exact": "a"}]}, ("x-A", " a\t"))


def test_the_host_is_a_header_and_the_path_and_the_method_are() -> None:
    headers = [("Host", "db.example")]
    for name, value in ((":authority", "db.example"), ("host", "db.example"), (":method", "PUT")):
        assert about({"Header": [{"Name": name, "Exact": value}]}, *headers, method="PUT")
    assert about({"Header": [{"Name": ":path", "Exact": "/a?b"}]}, path="/a?b")


def test_path_headers_and_method_must_all_match() -> None:
    both = [{"Name": "x-a", "Exact": "a"}, {"Name": "x-b", "Present": True}]
    conditions = {"PathPrefix": "/v1", "Header": both, "Methods": ["GET", "PUT"]}
    headers = (("x-a", "a"), ("x-b", ""))
    for method in ("GET", "PUT"):
        assert about(conditions, *headers, path="/v1/x", method=method)
    assert not about(conditions, *headers, path="/v1/x", method="POST")
    assert not about(conditions, *headers, path="/v1/x", method="get")
    assert not about(conditions, *headers, path="/v2")
    assert not about(conditions, ("x-a", "a"), path="/v1")
    assert not about(conditions, ("x-a", "b"), ("x-b", ""), path="/v1")


def test_the_header_that_names_the_caller_is_never_what_the_request_carries() -> None:
    claimed = InboundRequest(headers=(("X-Forwarded-Client-Cert", "URI=x"),))
    bare = InboundRequest()

    def http(**condition: Any) -> HTTPPermission:
        header = {"Name": "X-Forwarded-Client-Cert", **condition}
        return msgspec.convert({"PathPrefix": "/", "Header": [header]}, HTTPPermission)

    for request in (claimed, bare):
        assert is_about(http(Present=True), request)
        assert not is_about(http(Present=True, Invert=True), request)
        assert not depends_on_certificate(http(Present=True), request)
        for invert in (True, False):
            assert depends_on_certificate(http(Exact="URI=x", Invert=invert), request)
    for request in (claimed, bare):
        unnamed = replace(request, names_caller=False)
        assert not is_about(http(Present=True), unnamed)
        assert not is_about(http(Exact="URI=x"), unnamed)
        assert is_about(http(Exact="URI=x", Invert=True), unnamed)
        assert not depends_on_certificate(http(Exact="URI=x"), unnamed)


def test_what_does_not_match_otherwise_does_not_depend_on_the_certificate() -> None:
    header = [{"Name": "x-forwarded-client-cert", "Contains": "web"}, {"Name": "x-a", "Exact": "a"}]
    conditions = msgspec.convert({"PathPrefix": "/", "Header": header}, HTTPPermission)
    assert depends_on_certificate(conditions, InboundRequest(headers=(("x-a", "a"),)))
    assert not depends_on_certificate(conditions, InboundRequest())

"""What becomes of paths; observed on Envoy 1.40 with every combination of the settings."""

import pytest

from xdsmesh.explain.paths import NormalizedPath, normalize_path
from xdsmesh.explain.types import Refusal
from xdsmesh.ir.normalization import WHERE_PATHS_DECIDE, EscapedSlashes, Normalization


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "/"),
        ("/a/b/", "/a/b/"),
        # dot segments
        ("/a/../b", "/b"),
        ("/a/./b", "/a/b"),
        ("/a/..", "/"),
        ("/a/b/..", "/a/"),
        ("/a/.", "/a/"),
        ("/.", "/"),
        ("/..", "/"),
        ("/../a", "/a"),
        ("/a/../../../b", "/b"),
        ("/...", "/..."),
        ("/.a/a.", "/.a/a."),
        ("/a;x=1/../b", "/b"),
        ("/a/%2e%2e/b", "/b"),
        ("/a/.%2E/b", "/b"),
        ("/a/%2E/b", "/a/b"),
        ("/a/%2e%2e%2fb", "/b"),
        ("/a%2F..%2Fb", "/b"),
        # with parameters, as some servers take them
        ("/a/..;/b", "/b"),
        ("/a/..;x=1/b", "/b"),
        ("/a/.;x", "/a/"),
        ("/a/..;?x", "/?x"),
        ("/a/b/..;%2Fc", "/a/c"),
        ("/a/...;/b", "/a/...;/b"),
        ("/a/..,/b", "/a/..,/b"),
        ("/a/..%3B/b", "/a/..%3B/b"),
        ("/a/%2e%2e;/b", "/a/..;/b"),
        ("/a/.%2e;x/b", "/a/..;x/b"),
        # slashes
        ("/a//b", "/a/b"),
        ("//a", "/a"),
        ("/a///b//", "/a/b/"),
        ("//", "//"),
        ("///", "//"),
        ("/%2F", "//"),
        ("/a//../b", "/a/b"),
        ("/a/b//..", "/a/b/"),
        ("/a%2fb%5Cc\\d", "/a/b/c/d"),
        ("/a\\..\\b", "/b"),
        # escapes
        ("/%61%7A%30%7e%2D%5F", "/az0~-_"),
        ("/%20%22%2A%3B%7C%c3%A9", "/%20%22%2A%3B%7C%c3%A9"),
        ("/a%25b%252Fc%252e", "/a%25b%252Fc%252e"),
        ("/%25%32%46a", "/%252Fa"),
        ("/%%32f/%4%31/%%32%46", "/%252f/%2541/%252F"),
        ("/%%2e/%%61g/%%25/%%", "/%./%ag/%%25/%%"),
        ("/%zz%4", "/%zz%4"),
        ('/{x}|^`"<>', "/%7Bx%7D%7C%5E%60%22%3C%3E"),
        ("/!$&'()*+,;=:@[]", "/!$&'()*+,;=:@[]"),
        # a query is no path
        ("/a/../b?x=/../c//d%2F%61", "/b?x=/../c//d%2F%61"),
        ("/?", "/?"),
        ("/?%00", "/?%00"),
    ],
)
def test_a_path_becomes_what_envoy_makes_of_it(path: str, expected: str) -> None:
    assert normalize_path(path, WHERE_PATHS_DECIDE) == NormalizedPath(expected)


def test_envoy_refuses_a_path_with_an_escaped_nul_where_it_normalizes() -> None:
    assert normalize_path("/a%00b", Normalization()) == Refusal(400, "a path holds no %00")
    assert normalize_path("/a%00b", Normalization(paths=False)) == NormalizedPath("/a%00b")


@pytest.mark.parametrize("kept", [EscapedSlashes.KEEP, EscapedSlashes.DEFAULT])
def test_escaped_slashes_may_be_kept(kept: EscapedSlashes) -> None:
    for path, expected in (
        ("/a%2Fb%5c", "/a%2Fb%5c"),
        ("/a/%2e%2e%2fb", "/a/..%2fb"),
        ("//a\\b/../%61", "//a/a"),
    ):
        assert normalize_path(path, Normalization(escaped_slashes=kept)) == NormalizedPath(expected)


def test_escaped_slashes_may_be_refused_but_not_in_a_query() -> None:
    rejecting = Normalization(escaped_slashes=EscapedSlashes.REJECT)
    for path in ("/a%2Fb", "/a%2f", "/%5C"):
        found = normalize_path(path, rejecting)
        assert isinstance(found, Refusal)
        assert (found.status, "rejects escaped slashes" in found.reason) == (400, True)
    assert normalize_path("/a/?b=%2F", rejecting) == NormalizedPath("/a/?b=%2F")


def test_envoy_may_redirect_to_the_path_without_escaped_slashes() -> None:
    redirecting = Normalization(merge_slashes=True, escaped_slashes=EscapedSlashes.REDIRECT)
    assert normalize_path("/%2Fa%2f../b?c", redirecting) == NormalizedPath("/b?c", redirects=True)
    assert normalize_path("//a/../b", redirecting) == NormalizedPath("/b")


def test_without_normalization_dots_and_escapes_stay_and_slashes_may_be_merged() -> None:
    assert normalize_path("/a/../%61//", Normalization(paths=False)) == NormalizedPath("/a/../%61//")
    merging = Normalization(paths=False, merge_slashes=True, escaped_slashes=EscapedSlashes.FORWARD)
    assert normalize_path("/a%2F/../b", merging) == NormalizedPath("/a/../b")

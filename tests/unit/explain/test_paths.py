"""What becomes of paths; each case was observed on Envoy 1.40 with the settings that a destination has."""

import pytest

from xdsmesh.explain.paths import normalize_path


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
    assert normalize_path(path) == expected


def test_envoy_refuses_a_path_with_an_escaped_nul() -> None:
    assert normalize_path("/a%00b") is None

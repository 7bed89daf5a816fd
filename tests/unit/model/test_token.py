from datetime import UTC, datetime

import pytest

from xdsmesh.model.address import is_loopback
from xdsmesh.model.identity import OPERATOR
from xdsmesh.model.token import Token, digest_of, shown_secret


@pytest.mark.parametrize(
    ("text", "secret"),
    [(None, ""), ("", ""), ("-", ""), (" - ", ""), ("abc", "abc"), (" abc\n", "abc"), (b"\xffx", "\\xffx")],
)
def test_what_stands_for_no_token_is_none(text: str | bytes | None, secret: str) -> None:
    assert shown_secret(text) == secret


def test_a_token_shows_nothing_of_its_secret() -> None:
    digest = digest_of("secret")
    assert len(digest) == 64
    token = Token("accessor", OPERATOR, digest, "a note", datetime.now(UTC))
    assert digest not in repr(token)


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:10.0.0.1", False),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
        ("::", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_only_this_machine_reaches_its_loopback(text: str, is_so: bool) -> None:  # noqa: FBT001
    assert is_loopback(text) is is_so

import pytest

from xdsmesh.bootstrap import HostPort


@pytest.mark.parametrize(
    ("text", "host", "port", "is_ip"),
    [
        ("127.0.0.1:8502", "127.0.0.1", 8502, True),
        ("[::1]:8502", "::1", 8502, True),
        ("mesh.example:0", "mesh.example", 0, False),
    ],
)
def test_an_address_reads_and_prints_the_same(text: str, host: str, port: int, is_ip: bool) -> None:  # noqa: FBT001
    address = HostPort.parse(text)
    assert (address.host, address.port, address.is_ip) == (host, port, is_ip)
    assert str(address) == text


@pytest.mark.parametrize("text", ["", "8502", ":8502", "127.0.0.1", "a:", "a:65536", "a:-1", "a:x", "a:²"])
def test_a_text_that_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not host:port, such as 127\.0\.0\.1:8502"):
        HostPort.parse(text)


def test_an_ipv6_address_without_brackets_is_refused() -> None:
    with pytest.raises(ValueError, match=r"in brackets, such as \[::1\]:8502"):
        HostPort.parse("::1:8502")

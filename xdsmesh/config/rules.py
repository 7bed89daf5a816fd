"""Rules that several definitions share. Each yields the problems of one field, given its path."""

import re
from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_address
from typing import Final

import re2

from xdsmesh.config import paths
from xdsmesh.config.wording import quoted
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem

PROTOCOLS: Final = ("tcp", "http", "http2", "grpc")
MAX_REGEX_BYTES: Final = 4096

_MAX_META: Final = 64
_MAX_META_KEY: Final = 128
_MAX_META_VALUE: Final = 512
_META_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_RESERVED: Final = "consul-"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def problem(path: str, what: str, remedy: str = "", *, code: str = "") -> Problem:
    """A problem of a field, before it is known where the field stands."""
    return Problem(Place(path=path), what, remedy, code)


def name(path: str, value: str) -> Iterator[Problem]:
    """The name of a service: it becomes a segment of its SPIFFE id, and one label of its SNI."""
    label = paths.label(path)
    if not value:
        yield problem(path, f"{label} is required", f'add {label} = "..."')
    elif value == "*":
        yield problem(path, f'{label} must be one service, not "*"')
    elif not _NAME.fullmatch(value):
        what = f'{label} {quoted(value)} is not a service name: up to 128 letters, digits, "-" and "_"'
        yield problem(path, what, "rename the service")


def reference(path: str, value: str) -> Iterator[Problem]:
    """The name of another service, which may be left out."""
    if value:
        yield from name(path, value)


def meta(path: str, value: Mapping[str, str]) -> Iterator[Problem]:
    """The limits of ``Meta``, https://developer.hashicorp.com/consul/docs/reference/config-entry."""
    if len(value) > _MAX_META:
        yield problem(path, f"Meta has {len(value)} pairs; at most {_MAX_META} are allowed")
    for key, text in value.items():
        if not 1 <= len(key) <= _MAX_META_KEY:
            yield problem(
                paths.key(path, key),
                f"a key of Meta has from 1 to {_MAX_META_KEY} characters, not {len(key)}",
            )
        if len(text) > _MAX_META_VALUE:
            what = f"a value of Meta has at most {_MAX_META_VALUE} characters, not {len(text)}"
            yield problem(paths.key(path, key), what)


def service_meta(path: str, value: Mapping[str, str]) -> Iterator[Problem]:
    """The rules of a service's ``Meta``: the same limits, plainer keys, and a prefix that is reserved."""
    yield from meta(path, value)
    for text in value:
        if text and not _META_KEY.fullmatch(text):
            what = f'the key {quoted(text)} of Meta holds other characters than letters, digits, "-" and "_"'
            yield problem(paths.key(path, text), what)
        elif text.startswith(_RESERVED):
            yield problem(paths.key(path, text), f'keys of Meta that begin with "{_RESERVED}" are reserved')


def required(path: str, value: str) -> Iterator[Problem]:
    """A text that may not be left out."""
    if not value:
        label = paths.label(path)
        yield problem(path, f"{label} is required", f'add {label} = "..."', code=Code.REQUIRED)


def one_of(path: str, value: str, words: Collection[str]) -> Iterator[Problem]:
    """One of some words; the empty one is "not given"."""
    if value not in words:
        choices = ", ".join(word for word in words if word)
        what = f"{paths.label(path)} can't be {quoted(value)}"
        yield problem(path, what, f"use one of {choices}", code=Code.NOT_A_CHOICE)


def protocol(path: str, value: str) -> Iterator[Problem]:
    """One of the four protocols, or none."""
    if value and value not in PROTOCOLS:
        yield problem(
            path, f"{quoted(value)} is not a protocol that is known", f"use one of {', '.join(PROTOCOLS)}"
        )


def regex(path: str, value: str) -> Iterator[Problem]:
    """A regular expression in RE2, https://github.com/google/re2/wiki/Syntax; Envoy compiles it again."""
    size = len(value.encode())
    if size > MAX_REGEX_BYTES:
        yield problem(
            path, f"a regular expression of {size} bytes is too long; at most {MAX_REGEX_BYTES} are allowed"
        )
        return
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(value, options)
    except re2.error as error:
        yield problem(path, f"{paths.label(path)} is not a regular expression of RE2: {_message(error)}")


def header_name(path: str, value: str) -> Iterator[Problem]:
    """The name of a header, RFC 9110 section 5.1; a pseudo-header begins with a colon."""
    if not _TOKEN.fullmatch(value.removeprefix(":")):
        yield problem(path, f"{quoted(value)} is not the name of a header")


def single_line(path: str, value: str) -> Iterator[Problem]:
    """Text that ends up in a request line or a header."""
    if _CONTROL.search(value):
        yield problem(path, f"{paths.label(path)} holds a control character, such as the end of a line")


def address(path: str, value: str) -> Iterator[Problem]:
    """An IP address, or none. Envoy takes no host names where these addresses go."""
    try:
        ip_address(value or "127.0.0.1")
    except ValueError:
        what = f"{paths.label(path)} {quoted(value)} is not an IP address; host names are not built yet"
        yield problem(path, what, "write the address")


def _message(error: Exception) -> str:
    """The library's message, which it gives as bytes."""
    first = error.args[0] if error.args else ""
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)

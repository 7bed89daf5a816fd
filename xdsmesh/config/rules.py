"""Rules that several definitions share. Each yields the problems of one field, given its path."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import re2

from xdsmesh.config import paths
from xdsmesh.config.wording import quoted, shortened
from xdsmesh.model.address import ip_of
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Place, Problem

PROTOCOLS: Final = ("tcp", "http", "http2", "grpc")
MAX_REGEX_BYTES: Final = 4096

_MAX_REGEX_MEMORY: Final = 1 << 20
"""Bytes of a compiled regular expression: an eighth of what Envoy takes, and far beyond what people write."""

_EVERYTHING: Final = 100
_MAX_META: Final = 64
_MAX_META_KEY: Final = 128
_MAX_META_VALUE: Final = 512
_META_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_RESERVED: Final = "consul-"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_MAX_HOST: Final = 253
_HOST_LABEL: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SPACE: Final = re.compile(r"\s")


def problem(path: str, what: str, remedy: str = "", *, code: Code) -> Problem:
    """A problem of a field, before it is known where the field stands."""
    return Problem(Place(path=path), what, remedy, code=code)


def name(path: str, value: str) -> Iterator[Problem]:
    """The name of a service: it becomes a segment of its SPIFFE id, and one label of its SNI."""
    label = paths.label(path)
    if not value:
        yield problem(path, f"{label} is required", f'add {label} = "..."', code=Code.REQUIRED)
    elif value == "*":
        what = f'{label} must be one service, not "*"'
        yield problem(path, what, "name a service", code=Code.WILDCARD)
    elif not _NAME.fullmatch(value):
        what = f'{label} {quoted(value)} is not a service name: up to 128 letters, digits, "-" and "_"'
        yield problem(path, what, "rename the service", code=Code.NAME)


def reference(path: str, value: str) -> Iterator[Problem]:
    """The name of another service, which may be left out."""
    if value:
        yield from name(path, value)


def plain_name(path: str, value: str) -> Iterator[Problem]:
    """The name of a datacenter or a peer, which may be left out; it becomes part of names in Envoy."""
    if value and not _NAME.fullmatch(value):
        what = f'{paths.label(path)} {quoted(value)} is not a name: up to 128 letters, digits, "-" and "_"'
        yield problem(path, what, code=Code.NAME)


def meta(path: str, value: Mapping[str, str]) -> Iterator[Problem]:
    """The limits of ``Meta``, https://developer.hashicorp.com/consul/docs/reference/config-entry."""
    if len(value) > _MAX_META:
        what = f"Meta has {len(value)} pairs; at most {_MAX_META} are allowed"
        yield problem(path, what, code=Code.TOO_LONG)
    for key, text in value.items():
        if not 1 <= len(key) <= _MAX_META_KEY:
            what = f"a key of Meta has from 1 to {_MAX_META_KEY} characters, not {len(key)}"
            yield problem(paths.key(path, key), what, code=Code.TOO_LONG)
        if len(text) > _MAX_META_VALUE:
            what = f"a value of Meta has at most {_MAX_META_VALUE} characters, not {len(text)}"
            yield problem(paths.key(path, key), what, code=Code.TOO_LONG)


def service_meta(path: str, value: Mapping[str, str], excepted: Collection[str] = ()) -> Iterator[Problem]:
    """The rules of a service's ``Meta``: the same limits, plainer keys, and a prefix that is reserved.

    ``excepted`` are keys that have the prefix and are allowed all the same.
    """
    yield from meta(path, value)
    for text in value:
        if text and not _META_KEY.fullmatch(text):
            what = f'the key {quoted(text)} of Meta holds other characters than letters, digits, "-" and "_"'
            yield problem(paths.key(path, text), what, code=Code.NAME)
        elif text.startswith(_RESERVED) and text not in excepted:
            what = f'keys of Meta that begin with "{_RESERVED}" are reserved'
            yield problem(paths.key(path, text), what, code=Code.NAME)


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
    if value == "udp":
        what = "the mesh carries no UDP: its identities are those of connections, and UDP has none"
        remedy = "let callers reach this service outside the mesh, or use tcp if it can speak that"
        yield problem(path, what, remedy, code=Code.NOT_A_CHOICE)
    elif value and value not in PROTOCOLS:
        what = f"{quoted(value)} is not a protocol that is known"
        yield problem(path, what, f"use one of {', '.join(PROTOCOLS)}", code=Code.NOT_A_CHOICE)


def not_negative(path: str, value: Duration | None) -> Iterator[Problem]:
    """A span of time, or none."""
    if value and value < Duration():
        label = paths.label(path)
        yield problem(path, f"{label} may not be negative, as {value} is", code=Code.OUT_OF_RANGE)


def percentage(path: str, value: int | None) -> Iterator[Problem]:
    """A share in percent, or none; the decoder lets nothing negative through."""
    if value is not None and value > _EVERYTHING:
        what = f"{paths.label(path)} is a percentage: at most {_EVERYTHING}, not {value}"
        yield problem(path, what, code=Code.OUT_OF_RANGE)


def begins_with_slash(path: str, value: str) -> Iterator[Problem]:
    """A path of requests, or none."""
    if value and not value.startswith("/"):
        what = f'{paths.label(path)} must begin with "/"'
        yield problem(path, what, f'write "/{shortened(value)}"', code=Code.PATH)


def exclusive(path: str, given: Mapping[str, object]) -> Iterator[Problem]:
    """Fields of one object, by their names, of which at most one may be given."""
    named = [label for label, value in given.items() if value]
    if len(named) > 1:
        what = f"{' and '.join(named)} exclude each other"
        yield problem(path, what, "keep one of them", code=Code.EXCLUDE_EACH_OTHER)


def regex(path: str, value: str) -> Iterator[Problem]:
    """A regular expression in RE2, https://github.com/google/re2/wiki/Syntax; Envoy compiles it again."""
    size = len(value.encode())
    if size > MAX_REGEX_BYTES:
        what = f"a regular expression of {size} bytes is too long; at most {MAX_REGEX_BYTES} are allowed"
        yield problem(path, what, code=Code.REGEX)
        return
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_REGEX_MEMORY
    try:
        re2.compile(value, options)
    except re2.error as error:
        what = f"{paths.label(path)} is not a regular expression of RE2: {_message(error)}"
        yield problem(path, what, code=Code.REGEX)


def header_name(path: str, value: str, *, pseudo: bool = True) -> Iterator[Problem]:
    """The name of a header, RFC 9110 section 5.1; a pseudo-header, if it may be one, begins with a colon."""
    if not _TOKEN.fullmatch(value.removeprefix(":") if pseudo else value):
        yield problem(path, f"{quoted(value)} is not the name of a header", code=Code.HEADER)


def method(path: str, value: str) -> Iterator[Problem]:
    """The method of a request, RFC 9110 section 9.1, or none."""
    if value and not _TOKEN.fullmatch(value):
        what = f"{paths.label(path)} {quoted(value)} is not an HTTP method"
        yield problem(path, what, "use one such as GET", code=Code.NOT_A_CHOICE)


def printable(path: str, value: str) -> Iterator[Problem]:
    """An id: any text that can be shown."""
    if not value.isprintable():
        what = f"{paths.label(path)} holds characters that can't be printed"
        yield problem(path, what, code=Code.CONTROL_CHARACTER)


def single_line(path: str, value: str) -> Iterator[Problem]:
    """Text that ends up in a request line or a header."""
    if _CONTROL.search(value):
        what = f"{paths.label(path)} holds a control character, such as the end of a line"
        yield problem(path, what, code=Code.CONTROL_CHARACTER)


def address(path: str, value: str) -> Iterator[Problem]:
    """An IP address, or none. Envoy takes no host names where these addresses go."""
    if value and ip_of(value) is None:
        what = f"{paths.label(path)} {quoted(value)} is not an IP address; host names are not built yet"
        yield problem(path, what, "write the address", code=Code.ADDRESS)


def host(path: str, value: str) -> Iterator[Problem]:
    """An IP address or a DNS name, or none."""
    if value and ip_of(value) is None:
        yield from host_name(path, value)


def name_or_all(path: str, value: str) -> Iterator[Problem]:
    """The name of a service, or ``*`` for all of them."""
    if "*" in value and value != "*":
        what = (
            f'{paths.label(path)} {quoted(value)} has "*" as a part of it; it stands for all only when alone'
        )
        yield problem(path, what, 'write "*" or the whole name', code=Code.WILDCARD)
    elif value != "*":
        yield from name(path, value)


def free_name(path: str, value: str) -> Iterator[Problem]:
    """A name that is not a service's: any text that can be a segment of a path of the API."""
    yield from required(path, value)
    if "/" in value or _CONTROL.search(value):
        what = f'{paths.label(path)} {quoted(value)} holds "/" or a control character'
        yield problem(path, what, "rename it", code=Code.NAME)


def exactly_one(path: str, given: Mapping[str, object]) -> Iterator[Problem]:
    """Fields of one object, by their names, of which one must be given and no other."""
    yield from exclusive(path, given)
    if not any(given.values()):
        what = f"{paths.label(path)} needs one of {', '.join(given)}"
        yield problem(path, what, "add one of them", code=Code.REQUIRED)


def unique(path: str, values: Sequence[object], what: str) -> Iterator[Problem]:
    """Items of a list, of which no two may be the same, but for what is left out of several.

    ``what`` says what the same ones have in common.
    """
    first: dict[object, int] = {}
    for index, value in enumerate(values):
        at = first.setdefault(value, index)
        if value and at != index:
            label = paths.label(path)
            text = f"{label}[{index}] has the same {what} as {label}[{at}]"
            yield problem(paths.item(path, index), text, "keep one of them", code=Code.GIVEN_TWICE)


def host_name(path: str, value: str, *, wildcard: bool = False) -> Iterator[Problem]:
    """A DNS name, RFC 1123 section 2.1, also with underscores; ``*`` may be its first label if allowed."""
    rest = value.removeprefix("*.") if wildcard else value
    if "*" in rest:
        where = ' but as its whole first label, as in "*.example.com"' if wildcard else " here"
        what = f'{paths.label(path)} {quoted(value)} may not have "*"{where}'
        yield problem(path, what, "write the whole name", code=Code.WILDCARD)
    elif len(rest) > _MAX_HOST or not all(_HOST_LABEL.fullmatch(part) for part in rest.split(".")):
        what = f"{paths.label(path)} {quoted(value)} is not a DNS name"
        yield problem(path, what, "write a name such as www.example.com", code=Code.ADDRESS)


def web_address(path: str, value: str) -> Iterator[Problem]:
    """An absolute URI of HTTP, RFC 3986 section 4.3."""
    try:
        parts = urlsplit(value)
        absolute = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        absolute = False
    if not absolute or _SPACE.search(value):
        what = f"{paths.label(path)} {quoted(value)} is not an absolute URI of HTTP"
        yield problem(path, what, "write it whole, as in https://www.example.com/keys", code=Code.URL)


def port(path: str, value: int) -> Iterator[Problem]:
    """A port to listen on; the decoder lets nothing else through than 0, which is "not given", to 65535."""
    if not value:
        label = paths.label(path)
        yield problem(path, f"{label} is required", f"add {label} = 1 to 65535", code=Code.REQUIRED)


def _message(error: Exception) -> str:
    """The library's message, which it gives as bytes."""
    first = error.args[0] if error.args else ""
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)

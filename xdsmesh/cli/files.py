"""Files given on the command line: what they define, ready to be sent."""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from xdsmesh.catalog.declare import declare
from xdsmesh.config import codec
from xdsmesh.config.entry import Entry
from xdsmesh.config.files import ENDINGS, Located, ParsedFile, parse_file
from xdsmesh.config.health import StandaloneCheck
from xdsmesh.config.service import ServiceDefinition
from xdsmesh.config.syntax import MAX_BYTES
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem

_STDIN: Final = "-"
_READ_AT_MOST: Final = 16 * MAX_BYTES
"""Of what is longer, such as a device without an end, so much is enough to see that it is too long."""


class Registrations(NamedTuple):
    """What files register, in the order in which it is sent."""

    services: list[Located[ServiceDefinition]]
    checks: list[Located[StandaloneCheck]]


def entries_of(names: Sequence[str]) -> list[Located[Entry]]:
    """The config entries of files, none before one that it may refer to; ``-`` is standard input.

    Raises:
        RefusedError: with all problems of all files; a service or check among them is one.
    """
    remedy = "`xdsmesh services register` takes it"
    files = [
        _refuse(
            _refuse(file, file.services, "a service is no config entry", remedy),
            file.checks,
            "a check is no config entry",
            remedy,
        )
        for file in _parse_all(names)
    ]
    return sorted(declare(files).entries.values(), key=lambda each: each.value.RANK)


def registrations_of(names: Sequence[str]) -> Registrations:
    """The services of files, and the checks beside them; ``-`` is standard input.

    Raises:
        RefusedError: with all problems of all files; a config entry among them is one.
    """
    remedy = "`xdsmesh config write` takes it"
    files = _with_checks_once(
        _refuse(file, file.entries, "a config entry is no service", remedy) for file in _parse_all(names)
    )
    # A check may be of a service that is registered already; the server knows.
    services = declare(replace(file, checks=()) for file in files).services
    return Registrations(list(services.values()), [check for file in files for check in file.checks])


def services_of(names: Sequence[str]) -> list[Located[ServiceDefinition]]:
    """The service definitions of files, as ``registrations_of`` has them."""
    return registrations_of(names).services


def parsed_files(names: Sequence[str], *, check: bool = True) -> dict[str, ParsedFile]:
    """What files say, by the names under which they are reported; a folder is all config files in it.

    A file that is named twice counts once. With ``check`` false definitions are only decoded.
    """
    paths = {_identity(path): path for name in names for path in _files_at(name)}
    return {path: _parse(path, check=check) for path in paths.values()}


def service_ids(targets: Iterable[str]) -> list[str]:
    """Service ids, given as such or as files that define the services.

    Raises:
        RefusedError: with all problems of a file.
    """
    found: list[str] = []
    for target in targets:
        is_file = target == _STDIN or target.endswith(ENDINGS)
        found.extend([each.value.id for each in services_of([target])] if is_file else [target])
    return found


def entry_body(entry: Entry) -> bytes:
    """The entry as the API takes it."""
    return msgspec.json.encode({"Kind": entry.KIND, "Name": entry.name, **codec.encode(entry)})


def service_body(service: ServiceDefinition) -> bytes:
    """The service definition as the API takes it."""
    return msgspec.json.encode(codec.encode(service))


def check_body(check: StandaloneCheck) -> bytes:
    """The check as the API takes it."""
    return msgspec.json.encode(codec.encode(check))


def _parse_all(names: Sequence[str]) -> list[ParsedFile]:
    """Read files, which on a terminal is seen if they are many."""
    from xdsmesh.cli.output import progress

    return [_parse_some(name) for name in progress(names, "Reading")]


def _with_checks_once(files: Iterable[ParsedFile]) -> list[ParsedFile]:
    """The files, where a check with the id of an earlier one is a problem."""
    claimed: dict[str, Located[StandaloneCheck]] = {}
    judged = []
    for file in files:
        again = [each for each in file.checks if claimed.setdefault(each.value.own_id, each) is not each]
        problems = (_declared_twice(each, claimed[each.value.own_id]) for each in again)
        judged.append(replace(file, problems=(*file.problems, *problems)))
    return judged


def _declared_twice(check: Located[StandaloneCheck], first: Located[StandaloneCheck]) -> Problem:
    what = f"check {check.value.own_id} is declared twice"
    return Problem(check.place, what, f"the other one is at {first.place}", code=Code.DECLARED_TWICE)


def _parse_some(name: str) -> ParsedFile:
    """Read a file that must have something in it."""
    file = _parse(name)
    if file == ParsedFile():
        return ParsedFile(problems=(Problem(Place(name), "there is nothing in it", code=Code.KIND_MISSING),))
    return file


def _parse(name: str, *, check: bool = True) -> ParsedFile:
    if not name.isprintable():
        what = "the file's name has bytes that are no text"
        return ParsedFile(problems=(Problem(Place(ascii(name)), what, "rename it", code=Code.UNREADABLE),))
    try:
        data = _read(name)
    except OSError as error:
        problem = Problem(Place(name), f"cannot be read: {error.strerror}", code=Code.UNREADABLE)
        return ParsedFile(problems=(problem,))
    return parse_file(_stdin_name(data) if name == _STDIN else name, data, check=check)


def _read(name: str) -> bytes:
    if name == _STDIN:
        return sys.stdin.buffer.read(_READ_AT_MOST)
    with Path(name).open("rb") as file:
        return file.read(_READ_AT_MOST)


def _files_at(name: str) -> list[str]:
    """The file itself, or the config files of a folder, sorted; those that cannot be listed, as they are."""
    folder = Path(name)
    if name in ("", _STDIN) or not name.isprintable() or not folder.is_dir():
        return [name]
    try:
        inside = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return [name]
    return [str(path) for path in inside if path.suffix in ENDINGS and not path.name.startswith(".")]


def _identity(name: str) -> str:
    return os.path.realpath(name) if name.isprintable() and name != _STDIN else name


def _stdin_name(data: bytes) -> str:
    """What comes from a pipe has no name to tell its syntax; JSON begins with a bracket, HCL cannot."""
    return "stdin.json" if data.lstrip()[:1] in (b"{", b"[") else "stdin.hcl"


def _refuse(file: ParsedFile, strays: Sequence[Located[Any]], what: str, remedy: str) -> ParsedFile:
    found = (Problem(each.place, what, remedy, code=Code.KIND_MISSING) for each in strays)
    return replace(file, problems=(*file.problems, *found))

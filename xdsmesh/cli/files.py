"""Files given on the command line: what they define, ready to be sent."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec

from xdsmesh.catalog.declare import declare
from xdsmesh.config import codec
from xdsmesh.config.entry import Entry
from xdsmesh.config.files import ENDINGS, Located, ParsedFile, parse_file
from xdsmesh.config.service import ServiceDefinition
from xdsmesh.model.errors import Place, Problem

_STDIN: Final = "-"


def entries_of(names: Sequence[str]) -> list[Located[Entry]]:
    """The config entries of files, none before one that it may refer to; ``-`` is standard input.

    Raises:
        RefusedError: with all problems of all files; a service definition among them is one.
    """
    files = [_parse(name) for name in names]
    remedy = "`xdsmesh services register` takes it"
    declared = declare(_refuse(file, file.services, "a service is no config entry", remedy) for file in files)
    return sorted(declared.entries.values(), key=lambda each: each.value.RANK)


def services_of(names: Sequence[str]) -> list[Located[ServiceDefinition]]:
    """The service definitions of files; ``-`` is standard input.

    Raises:
        RefusedError: with all problems of all files; a config entry among them is one.
    """
    files = [_parse(name) for name in names]
    remedy = "`xdsmesh config write` takes it"
    declared = declare(_refuse(file, file.entries, "a config entry is no service", remedy) for file in files)
    return list(declared.services.values())


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


def _parse(name: str) -> ParsedFile:
    try:
        data = sys.stdin.buffer.read() if name == _STDIN else Path(name).read_bytes()
    except OSError as error:
        return ParsedFile(problems=(Problem(Place(name), f"cannot be read: {error.strerror}"),))
    file = parse_file(_stdin_name(data) if name == _STDIN else name, data)
    if file == ParsedFile():
        return ParsedFile(problems=(Problem(Place(name), "there is nothing in it"),))
    return file


def _stdin_name(data: bytes) -> str:
    """What comes from a pipe has no name to tell its syntax; JSON begins with a bracket, HCL cannot."""
    return "stdin.json" if data.lstrip()[:1] in (b"{", b"[") else "stdin.hcl"


def _refuse(file: ParsedFile, strays: Sequence[Located[Any]], what: str, remedy: str) -> ParsedFile:
    return replace(file, problems=(*file.problems, *(Problem(each.place, what, remedy) for each in strays)))

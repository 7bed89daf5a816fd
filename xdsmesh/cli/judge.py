"""The judgement of ``xdsmesh validate`` about files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xdsmesh.catalog.check import check_entries
from xdsmesh.catalog.decide import entry_warnings
from xdsmesh.catalog.declare import declare
from xdsmesh.cli.files import parsed_files
from xdsmesh.config.files import ENDINGS, ParsedFile
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError


class Warned(NamedTuple):
    """What is accepted and will not do what its writer hopes."""

    place: Place
    what: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """All that is wrong, all that is doubtful, and both in one line."""

    problems: tuple[Problem, ...]
    warnings: tuple[Warned, ...]
    summary: str


def judge(paths: Sequence[str]) -> Judgement:
    """Judge the files at paths: each by itself, and if all could be read, how they fit together."""
    files = parsed_files(paths)
    if not files:
        what, remedy = "there is no config file in it", f"they end in {', '.join(ENDINGS)}"
        problems = tuple(Problem(Place(path), what, remedy, code=Code.FILE_ENDING) for path in paths)
        return Judgement(problems, (), _number(len(problems), "problem"))
    problems = _problems(list(files.values()))
    return Judgement(problems, _warnings(files), _summary(files, problems))


def _problems(files: Sequence[ParsedFile]) -> tuple[Problem, ...]:
    """What is wrong. The whole is judged only if none of it is missing: that may be all that is found."""
    try:
        declare(files)
        found: tuple[Problem, ...] = ()
    except RefusedError as refused:
        found = refused.problems
    if not any(file.problems for file in files):
        found += check_entries(entry for file in files for entry in file.entries)
    return tuple(sorted(set(found)))


def _warnings(files: Mapping[str, ParsedFile]) -> tuple[Warned, ...]:
    return tuple(
        Warned(entry.place, what)
        for file in files.values()
        for entry in file.entries
        for what in entry_warnings(entry.value)
    )


def _summary(files: Mapping[str, ParsedFile], problems: tuple[Problem, ...]) -> str:
    if problems:
        wrong = {problem.place.source for problem in problems}
        return f"{_number(len(problems), 'problem')} in {len(wrong)} of {_number(len(files), 'file')}"
    entries = _number(sum(len(file.entries) for file in files.values()), "entry", "entries")
    services = _number(sum(len(file.services) for file in files.values()), "service")
    checks = sum(len(file.checks) for file in files.values())
    alone = f", {_number(checks, 'check')} beside them" if checks else ""
    return f"{entries}, {services}{alone} in {_number(len(files), 'file')}: fine"


def _number(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or f'{one}s'}"

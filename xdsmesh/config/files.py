"""Files and bodies in, config entries and service definitions out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final, Generic, TypeVar

from xdsmesh.config import codec, syntax, wording
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds import ENTERPRISE_KINDS, INTERNAL_KINDS, KINDS, UNBUILT_KINDS
from xdsmesh.config.service import ServiceDefinition
from xdsmesh.config.tree import Array, Member, Node, Object, Scalar
from xdsmesh.model.errors import Place, Problem, RefusedError

T = TypeVar("T")

ENDINGS: Final = tuple(f".{ending}" for ending in syntax.PARSERS)
"""How the names of the files end that can be read."""

_KIND_KEYS: Final = ("Kind", "kind")
_BODY: Final = "body"
_CONTENTS: Final = "config entries (each with a Kind), service, services, and config_entries"


@dataclass(frozen=True, slots=True)
class Located(Generic[T]):
    """A value, and where its text begins."""

    value: T
    place: Place


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What a file declares. With problems it is only the part that is right."""

    entries: tuple[Located[Entry], ...] = ()
    services: tuple[Located[ServiceDefinition], ...] = ()
    problems: tuple[Problem, ...] = ()


def parse_file(source: str, data: bytes) -> ParsedFile:
    """Read a file in the syntax that its name ends in.

    Args:
        source: The file's path, as it shall appear in problems.
        data: What the file holds.
    """
    ending = next((known for known in syntax.PARSERS if source.lower().endswith(f".{known}")), None)
    if ending is None:
        return ParsedFile(
            problems=(Problem(Place(source), f"files end in {', '.join(ENDINGS)}", "rename it"),)
        )
    parsed = syntax.parse(source, data, ending)
    reader = _Reader(source, frozenset((item.place.line, item.place.column) for item in parsed.problems))
    for root in parsed.roots:
        reader.root(root)
    problems = sorted(
        (*parsed.problems, *reader.problems), key=lambda problem: (problem.place.line, problem.place.column)
    )
    return ParsedFile(tuple(reader.entries.values()), tuple(reader.services), tuple(problems))


def decode_entry(body: bytes) -> Entry:
    """Read the JSON body of one config entry.

    Raises:
        RefusedError: with all its problems.
    """
    return _decode_body(body, _read_entry)


def decode_service(body: bytes) -> ServiceDefinition:
    """Read the JSON body of one service definition.

    Raises:
        RefusedError: with all its problems.
    """
    return _decode_body(body, lambda node, source: codec.read(ServiceDefinition, node, source))


def _decode_body(body: bytes, read: Callable[[Node, str], tuple[T | None, tuple[Problem, ...]]]) -> T:
    parsed = syntax.parse(_BODY, body, "json")
    if parsed.problems:
        raise RefusedError(*parsed.problems)
    value, problems = read(parsed.roots[0], "")
    if value is None:
        raise RefusedError(*problems)
    return value


def _read_entry(node: Node, source: str) -> tuple[Entry | None, tuple[Problem, ...]]:
    if not isinstance(node, Object):
        return None, (Problem(node.at.place(source), "a config entry is an object with Kind and Name"),)
    kind = _kind_member(node)
    if kind is None:
        return None, (
            Problem(node.at.place(source, "Kind"), "a config entry needs a Kind", 'add Kind = "..."'),
        )
    word = kind.value.value if isinstance(kind.value, Scalar) else None
    if not isinstance(word, str):
        return None, (Problem(kind.value.at.place(source, "Kind"), "Kind must be text"),)
    if word not in KINDS:
        what, remedy = _unknown_kind(word)
        return None, (Problem(kind.value.at.place(source, "Kind"), what, remedy),)
    return codec.read(KINDS[word], node, source)


def _kind_member(node: Object) -> Member | None:
    by_key = {member.key: member for member in node.members}
    return next((by_key[key] for key in _KIND_KEYS if key in by_key), None)


def _unknown_kind(kind: str) -> tuple[str, str]:
    if kind in UNBUILT_KINDS:
        return f"config entries of the kind {kind} are not built yet", "remove it"
    if kind in ENTERPRISE_KINDS:
        return f"the kind {kind} is a feature of Consul Enterprise, which this is not", "remove it"
    if kind in INTERNAL_KINDS:
        return f"entries of the kind {kind} are written by the control plane only", "remove it"
    near = get_close_matches(kind, KINDS, n=1)
    return f"{wording.quoted(kind)} is not a kind of config entry", (
        f"did you mean {near[0]}?"
        if near
        else f"use one of {', '.join(KINDS)}; a service stands in service {{ }}"
    )


@dataclass(slots=True)
class _Reader:
    """Collects what the roots of a file declare, and the problems beyond those of its syntax.

    ``broken`` are the lines and columns of the latter.
    """

    source: str
    broken: frozenset[tuple[int, int]]
    problems: list[Problem] = field(default_factory=list)
    entries: dict[tuple[str, str], Located[Entry]] = field(default_factory=dict)
    services: list[Located[ServiceDefinition]] = field(default_factory=list)
    ids: dict[str, Place] = field(default_factory=dict)

    def root(self, root: Node) -> None:
        """Read a root: an object, or a list of them."""
        for node in _items(root):
            if not isinstance(node, Object):
                self._add(Problem(node.at.place(self.source), f"a file holds {_CONTENTS}"))
            elif _kind_member(node):
                self._entry(node)
            else:
                self._wrapped(node)

    def _wrapped(self, node: Object) -> None:
        """Read what stands in ``service``, ``services`` and ``config_entries``."""
        readers = {"service": self._services, "services": self._services, "config_entries": self._bootstrap}
        unknown = [member for member in node.members if member.key.lower() not in readers]
        if len(unknown) == len(node.members) > 0:
            self._add(Problem(node.at.place(self.source), f"there is no Kind here; a file holds {_CONTENTS}"))
            return
        for member in node.members:
            if member in unknown:
                what = f"unknown key {wording.key(member.key)} beside services"
                self._add(
                    Problem(member.at.place(self.source, member.key), what, f"a file holds {_CONTENTS}")
                )
            else:
                readers[member.key.lower()](member.value)

    def _bootstrap(self, value: Node) -> None:
        for node in _items(value):
            members = node.members if isinstance(node, Object) else ()
            if [member.key.lower() for member in members] != ["bootstrap"]:
                what = "config_entries holds bootstrap = [...] and nothing else"
                self._add(Problem(node.at.place(self.source, "config_entries"), what))
                continue
            for entry in _items(members[0].value):
                self._entry(entry)

    def _entry(self, node: Node) -> None:
        entry, problems = _read_entry(node, self.source)
        self._add(*problems)
        if entry is None:
            return
        located = Located(entry, node.at.place(self.source))
        first = self.entries.setdefault((entry.KIND, entry.name), located)
        if first is not located:
            self._add(_declared_twice(f"{entry.KIND} {entry.name}", first.place, located.place))

    def _services(self, value: Node) -> None:
        for node in _items(value):
            service, problems = codec.read(ServiceDefinition, node, self.source)
            self._add(*problems)
            if service is not None:
                self._service(Located(service, node.at.place(self.source)))

    def _service(self, located: Located[ServiceDefinition]) -> None:
        clash = next((own_id for own_id in located.value.ids if own_id in self.ids), None)
        if clash is None:
            self.services.append(located)
            self.ids.update(dict.fromkeys(located.value.ids, located.place))
        else:
            self._add(_declared_twice(f"the service id {clash}", self.ids[clash], located.place))

    def _add(self, *problems: Problem) -> None:
        """Keep problems, except with values that already have a syntax problem: of course they don't fit."""
        self.problems += [
            item for item in problems if (item.place.line, item.place.column) not in self.broken
        ]


def _items(node: Node) -> Sequence[Node]:
    return node.items if isinstance(node, Array) else (node,)


def _declared_twice(what: str, first: Place, again: Place) -> Problem:
    return Problem(again, f"{what} is declared twice, first at line {first.line}", "keep one of them")

"""Files and bodies in, config entries and service definitions out."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from xdsmesh.config import codec, syntax, wording
from xdsmesh.config.entry import Definition, Entry
from xdsmesh.config.health import StandaloneCheck
from xdsmesh.config.kinds import ENTERPRISE_KINDS, INTERNAL_KINDS, KINDS
from xdsmesh.config.problems import Problems, TooManyProblemsError, limited
from xdsmesh.config.service import ServiceDefinition
from xdsmesh.config.tree import Array, Member, Node, Object, Scalar, Unread
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError

T = TypeVar("T")
D = TypeVar("D", bound=Definition)

ENDINGS: Final = tuple(f".{ending}" for ending in syntax.PARSERS)
"""How the names of the files end that can be read."""

_KIND_KEYS: Final = ("Kind", "kind")
_BODY: Final = "body"
_CONTENTS: Final = "config entries (each with a Kind), service(s), check(s), and config_entries"


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
    checks: tuple[Located[StandaloneCheck], ...] = ()
    problems: tuple[Problem, ...] = ()


def parse_file(source: str, data: bytes, *, check: bool = True) -> ParsedFile:
    """Read a file in the syntax that its name ends in.

    Args:
        source: The file's path, as it shall appear in problems.
        data: What the file holds.
        check: Whether each definition is also judged by its own rules, or only decoded and normalized.
    """
    ending = next((known for known in syntax.PARSERS if source.lower().endswith(f".{known}")), None)
    if ending is None:
        what = f"files end in {', '.join(ENDINGS)}"
        return ParsedFile(problems=(Problem(Place(source), what, "rename it", code=Code.FILE_ENDING),))
    parsed = syntax.parse(source, data, ending)
    reader = _Reader(Problems(source), check)
    with suppress(TooManyProblemsError):
        for root in parsed.roots:
            reader.root(root)
    problems = limited([*parsed.problems, *reader.problems.found])
    return ParsedFile(
        tuple(reader.entries.values()), tuple(reader.services), tuple(reader.checks.values()), problems
    )


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
    return decode_definition(body, ServiceDefinition)


def decode_check(body: bytes) -> StandaloneCheck:
    """Read the JSON body of one check that is registered by itself.

    Raises:
        RefusedError: with all its problems.
    """
    return decode_definition(body, StandaloneCheck)


def decode_definition(body: bytes, shape: type[D]) -> D:
    """Read the JSON body of one definition.

    Raises:
        RefusedError: with all its problems.
    """
    return _decode_body(body, lambda node, source: codec.read(shape, node, source))


def _decode_body(body: bytes, read: Callable[[Node, str], tuple[T | None, tuple[Problem, ...]]]) -> T:
    parsed = syntax.parse(_BODY, body, "json")
    value, problems = read(parsed.roots[0], "") if parsed.roots else (None, ())
    if value is None or parsed.problems:
        raise RefusedError(*limited([*parsed.problems, *problems]))
    return value


def _read_entry(node: Node, source: str, *, check: bool = True) -> tuple[Entry | None, tuple[Problem, ...]]:
    kind = _kind_member(node) if isinstance(node, Object) else None
    if kind is None:
        return None, _without_kind(node, source)
    word = _text(kind.value)
    if word in KINDS:
        return codec.read(KINDS[word], node, source, check=check)
    return None, (_unknown_kind(word, kind.value.at.place(source, "Kind")),)


def _without_kind(node: Node, source: str) -> tuple[Problem, ...]:
    """What is wrong with an entry of no kind; nothing, if the syntax has already told."""
    if isinstance(node, Unread) or (isinstance(node, Object) and _lost_something(node)):
        return ()
    if isinstance(node, Object):
        what, remedy = "a config entry needs a Kind", 'add Kind = "..."'
        return (Problem(node.at.place(source, "Kind"), what, remedy, code=Code.KIND_MISSING),)
    what = "a config entry is an object with Kind and Name"
    return (Problem(node.at.place(source), what, code=Code.NOT_A_DEFINITION),)


def _lost_something(node: Object) -> bool:
    return any(isinstance(member.value, Unread) for member in node.members)


def _kind_member(node: Object) -> Member | None:
    by_key = {member.key: member for member in node.members}
    return next((by_key[key] for key in _KIND_KEYS if key in by_key), None)


def _text(node: Node) -> str | None:
    """The text that a value is, or that it seems to be if it can't be read."""
    if isinstance(node, Unread):
        return node.text
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None


def _unknown_kind(kind: str | None, place: Place) -> Problem:
    if kind is None:
        return Problem(place, "Kind must be text", code=Code.TYPE_MISMATCH)
    if kind in ENTERPRISE_KINDS:
        what = f"the kind {kind} is a feature of Consul Enterprise, which this is not"
        return Problem(place, what, "remove it", code=Code.ENTERPRISE)
    if kind in INTERNAL_KINDS:
        what = f"entries of the kind {kind} are written by the control plane only"
        return Problem(place, what, "remove it", code=Code.WRITTEN_BY_SERVER)
    near = wording.nearest(kind, KINDS)
    choices = f"use one of {', '.join(KINDS)}; a service stands in service {{ }}"
    remedy = f"did you mean {near}?" if near else choices
    return Problem(
        place, f"{wording.quoted(kind)} is not a kind of config entry", remedy, code=Code.KIND_UNKNOWN
    )


@dataclass(slots=True)
class _Reader:
    """Collects what the roots of a file declare, and the problems beyond those of its syntax."""

    problems: Problems
    check: bool
    entries: dict[tuple[str, str], Located[Entry]] = field(default_factory=dict)
    services: list[Located[ServiceDefinition]] = field(default_factory=list)
    checks: dict[str, Located[StandaloneCheck]] = field(default_factory=dict)
    ids: dict[str, Place] = field(default_factory=dict)

    def root(self, root: Node) -> None:
        """Read a root: an object, or a list of them."""
        for node in _items(root):
            if isinstance(node, Object) and _kind_member(node):
                self._entry(node)
            elif isinstance(node, Object):
                self._wrapped(node)
            elif not isinstance(node, Unread):
                self.problems.add(node.at, f"a file holds {_CONTENTS}", code=Code.NOT_A_DEFINITION)

    def _wrapped(self, node: Object) -> None:
        """Read what stands in ``service``, ``check``, their plurals and ``config_entries``."""
        readers = {
            "service": self._services,
            "services": self._services,
            "check": self._checks,
            "checks": self._checks,
            "config_entries": self._bootstrap,
        }
        if node.members and not any(member.key.lower() in readers for member in node.members):
            if not _lost_something(node):
                what = f"there is no Kind here; a file holds {_CONTENTS}"
                self.problems.add(node.at, what, 'add Kind = "..."', code=Code.KIND_MISSING)
            return
        for member in node.members:
            if reader := readers.get(member.key.lower()):
                reader(member.value)
            elif not isinstance(member.value, Unread):
                what, remedy = (
                    f"unknown key {wording.key(member.key)} beside services",
                    f"a file holds {_CONTENTS}",
                )
                self.problems.add(
                    member.at, what, remedy, code=Code.KEY_UNKNOWN, path=wording.shortened(member.key)
                )

    def _bootstrap(self, value: Node) -> None:
        for node in _items(value):
            members = node.members if isinstance(node, Object) else ()
            if [member.key.lower() for member in members] == ["bootstrap"]:
                for entry in _items(members[0].value):
                    self._entry(entry)
            elif not (isinstance(node, Unread) or (isinstance(node, Object) and _lost_something(node))):
                what = "config_entries holds bootstrap = [...] and nothing else"
                self.problems.add(node.at, what, code=Code.NOT_A_DEFINITION, path="config_entries")

    def _entry(self, node: Node) -> None:
        entry, problems = _read_entry(node, self.problems.source, check=self.check)
        self.problems.extend(*problems)
        if entry is None:
            return
        located = Located(entry, node.at.place(self.problems.source))
        first = self.entries.setdefault((entry.KIND, entry.name), located)
        if first is not located:
            self.problems.extend(_declared_twice(f"{entry.KIND} {entry.name}", first.place, located.place))

    def _services(self, value: Node) -> None:
        for node in _items(value):
            service, problems = codec.read(ServiceDefinition, node, self.problems.source, check=self.check)
            self.problems.extend(*problems)
            if service is not None:
                self._service(Located(service, node.at.place(self.problems.source)))

    def _service(self, located: Located[ServiceDefinition]) -> None:
        clash = next((own_id for own_id in located.value.ids if own_id in self.ids), None)
        if clash is None:
            self.services.append(located)
            self.ids.update(dict.fromkeys(located.value.ids, located.place))
        else:
            self.problems.extend(_declared_twice(f"the service id {clash}", self.ids[clash], located.place))

    def _checks(self, value: Node) -> None:
        for node in _items(value):
            check, problems = codec.read(StandaloneCheck, node, self.problems.source, check=self.check)
            self.problems.extend(*problems)
            if check is None:
                continue
            located = Located(check, node.at.place(self.problems.source))
            first = self.checks.setdefault(check.own_id, located)
            if first is not located:
                told = f"the check id {check.own_id}"
                self.problems.extend(_declared_twice(told, first.place, located.place))


def _items(node: Node) -> Sequence[Node]:
    return node.items if isinstance(node, Array) else (node,)


def _declared_twice(what: str, first: Place, again: Place) -> Problem:
    told = f"{what} is declared twice, first at line {first.line}"
    return Problem(again, told, "keep one of them", code=Code.DECLARED_TWICE)

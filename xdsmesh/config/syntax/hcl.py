r"""HCL as people write it for Consul, with positions.

This is the literal part of HCL 1 (https://github.com/hashicorp/hcl/tree/hcl1#syntax): attributes, blocks at
any depth (repeated ones become a list, labels become further levels), lists, text, heredocs, numbers,
``true``, ``false`` and ``null``. Members are separated by new lines, commas or plain white space. Nothing is
evaluated: ``"${x}"`` is literal text. A file that begins with ``{`` is JSON, as in HCL 1.

The parser is our own, because HCL 2's refuses blocks inside the objects of a list, commas between attributes
and keys in quotes. After a mistake it goes on at the next line, comma or closing bracket.
"""

from dataclasses import dataclass, field
from typing import Final

from xdsmesh.config.problems import Problems, TooManyProblemsError
from xdsmesh.config.syntax import json
from xdsmesh.config.syntax.hcl_errors import unexpected
from xdsmesh.config.syntax.hcl_literals import LITERALS, literal, quoted
from xdsmesh.config.syntax.hcl_tokens import END, MAX_PIECES, STRAY, TEXT, WORD, Tokens
from xdsmesh.config.syntax.reading import Reading, TooMuchError, too_deep_piece
from xdsmesh.config.tree import MAX_DEPTH, Array, Member, Node, Object, Parsed, Position, Scalar, Unread
from xdsmesh.model.codes import Code

_KEYS: Final = frozenset({WORD, TEXT})
_VALUES: Final = LITERALS | {"{", "["}
_BARE: Final = frozenset({"true", "false", "null"})
_CLOSERS: Final = {"{": "}", "[": "]"}
_DEEPER: Final = {"{": 1, "[": 1, "}": -1, "]": -1}
_ITEM: Final = 'a value or "]"'
_NEXT: Final = '"," or "]"'
_PARENTHESES: Final = {"(": 1, ")": -1}


def parse(text: str, source: str) -> Parsed:
    """Parse a file's attributes and blocks into one object."""
    if text.lstrip()[:1] == "{":
        return json.parse(text, source)
    reading = Reading(text, source)
    try:
        roots = _Parser(reading).roots()
    except (TooMuchError, TooManyProblemsError):
        roots = ()
    return Parsed(roots, tuple(reading.problems.found))


@dataclass(slots=True)
class _Members:
    """The members of an object while it is read. Blocks of one key become a list in the order of the text."""

    problems: Problems
    first: dict[str, Member] = field(default_factory=dict)
    blocks: dict[str, list[Node]] = field(default_factory=dict)
    lost: list[Member] = field(default_factory=list)

    def attribute(self, member: Member) -> None:
        if self.first.setdefault(member.key, member) is not member:
            self.problems.repeated(member.key, self.first[member.key].at, member.at)

    def block(self, member: Member) -> None:
        if member.key in self.blocks:
            self.blocks[member.key].append(member.value)
        elif member.key in self.first:
            self.attribute(member)
        else:
            self.first[member.key] = member
            self.blocks[member.key] = [member.value]

    def lose(self, at: Position) -> None:
        """Remember that something stands here that can't be read."""
        self.lost.append(Member(at, "", Unread(at)))

    def all(self) -> tuple[Member, ...]:
        """Every member, in the order of their keys' first appearance."""
        for name, values in self.blocks.items():
            if len(values) > 1:
                at = self.first[name].at
                self.first[name] = Member(at, name, Array(at, tuple(values)))
        return (*self.first.values(), *self.lost)


class _Parser:
    """Follows the tokens. The methods begin at the token they are about and end behind it."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._tokens = Tokens(reading.text)
        self._index = 0
        self._kind = self._tokens.kinds[0]
        self._open: list[tuple[str, Position]] = []
        self._balanced = True

    def roots(self) -> tuple[Node, ...]:
        """The object that the file is, or nothing if its brackets don't fit together.

        Raises:
            TooMuchError: it is nested too deep, or holds too many values.
            TooManyProblemsError: see there.
        """
        kinds, starts, reading = self._tokens.kinds, self._tokens.starts, self._reading
        deep = too_deep_piece(kinds, around=1)
        if deep is not None:
            raise reading.too_deep(reading.at(starts[deep]))
        if kinds[-1] != END:
            raise reading.too_many(reading.at(starts[-1]), f"{MAX_PIECES:,} words and signs")
        at = Position(1, 1) if self._kind == END else self._at()
        root = Object(at, self._members(END, 1))
        return (root,) if self._balanced else ()

    def _at(self) -> Position:
        return self._reading.at(self._tokens.starts[self._index])

    def _advance(self) -> None:
        self._index += 1
        self._kind = self._tokens.kinds[self._index]

    def _text(self) -> str:
        return self._tokens.texts[self._index]

    def _members(self, closing: str, depth: int) -> tuple[Member, ...]:
        """The members of an object, up to what closes it."""
        members = _Members(self._reading.problems)
        expected = "a key" if closing == END else 'a key or "}"'
        while self._kind != closing:
            if self._kind in _KEYS:
                self._member(members, depth)
                if self._kind == ",":
                    self._advance()
            else:
                members.lose(self._at())
                if self._ends(expected):
                    break
        return members.all()

    def _member(self, members: _Members, depth: int) -> None:
        """Read an attribute or a block."""
        at = self._at()
        name = self._key(at)
        labels = self._labels(at.line)
        if self._kind == "{":
            value = self._block(at, labels, depth)
            members.block(Member(at, name.text, value)) if isinstance(name, Scalar) else members.lose(at)
        elif self._is_equals(labels):
            self._advance()
            value = self._value("a value", depth + 1)
            members.attribute(Member(at, name.text, value)) if isinstance(name, Scalar) else members.lose(at)
        else:
            members.lose(at)
            self._tell('"{"' if labels else '"=" and a value, or "{"')
            if self._at().line == at.line:
                self._skip()

    def _key(self, at: Position) -> Scalar | Unread:
        kind, text = self._kind, self._text()
        self._advance()
        return Scalar(at, text, text) if kind == WORD else quoted(text, at, self._reading)

    def _labels(self, line: int) -> list[Scalar | Unread]:
        """The labels between a block's key and its body. What stands on another line is another key."""
        labels = []
        while self._kind in _KEYS and (at := self._at()).line == line:
            labels.append(self._key(at))
        return labels

    def _is_equals(self, labels: list[Scalar | Unread]) -> bool:
        """Whether a value follows a key; a colon is taken for the right sign once it is told."""
        if self._kind == STRAY and self._text() == ":" and not labels:
            self._tell("")
            return True
        return self._kind == "=" and not labels

    def _block(self, at: Position, labels: list[Scalar | Unread], depth: int) -> Node:
        """The object of a block, inside one object for each label."""
        if depth + len(labels) >= MAX_DEPTH:
            raise self._reading.too_deep(at)
        self._reading.count(at)
        value: Node = self._object(labels[-1].at if labels else at, depth + len(labels) + 1)
        places = [at, *(label.at for label in labels)][: len(labels)]
        for place, label in zip(reversed(places), reversed(labels), strict=True):
            inner = value if isinstance(label, Scalar) else Unread(place)
            value = Object(place, (Member(label.at, label.text, inner),))
        return value

    def _value(self, expected: str, depth: int) -> Node:
        at, kind = self._at(), self._kind
        self._reading.count(at)
        if kind == "{":
            return self._object(at, depth)
        if kind == "[":
            return self._list(at, depth)
        if kind not in LITERALS or self._is_key_of_next_line():
            self._tell(expected)
            return self._lost(at, skip=kind not in _KEYS)
        token = self._tokens[self._index]
        self._advance()
        if token.kind == WORD and token.text not in _BARE and self._is_expression(at):
            self._tell("")
            return self._lost(at, skip=True)
        return literal(token, at, self._reading)

    def _lost(self, at: Position, *, skip: bool) -> Unread:
        if skip:
            self._skip()
        return Unread(at)

    def _is_key_of_next_line(self) -> bool:
        """Whether a value is missing: what stands in its place has a line and a "=" of its own."""
        kinds, before = self._tokens.kinds, self._index - 1
        if self._kind not in _KEYS or kinds[before] != "=" or kinds[self._index + 1] != "=":
            return False
        return self._reading.at(self._tokens.starts[before]).line < self._at().line

    def _is_expression(self, at: Position) -> bool:
        """Whether a word is followed by what belongs to it: an operator, or what a function is given."""
        return self._kind == STRAY and self._at().line == at.line

    def _object(self, at: Position, depth: int) -> Object:
        self._opened(self._at())
        members = self._members("}", depth)
        self._closed("}")
        return Object(at, members)

    def _list(self, at: Position, depth: int) -> Array:
        self._opened(at)
        items: list[Node] = []
        expected, told = _ITEM, False
        while (kind := self._kind) != "]":
            if kind in _VALUES:
                if expected == _NEXT and not told:
                    self._tell(expected)
                    told = True
                items.append(self._value(expected, depth + 1))
                expected = _NEXT
            elif kind == "," and expected == _NEXT:
                self._advance()
                expected = _ITEM
            elif self._ends(expected):
                break
        self._closed("]")
        return Array(at, tuple(items))

    def _opened(self, at: Position) -> None:
        self._open.append((self._kind, at))
        self._advance()

    def _closed(self, closing: str) -> None:
        self._open.pop()
        if self._kind == closing:
            self._advance()

    def _ends(self, expected: str) -> bool:
        """Tell of what stands where a member or an item is due, and pass it.

        Returns:
            Whether what is being read ends there, without the bracket that it should have.
        """
        kind = self._kind
        if kind == END:
            self._unclosed()
            return True
        if kind in _CLOSERS.values():
            if self._balanced:
                self._tell(expected)
            self._balanced = False
            if self._closes_something():
                return True
            self._advance()
            return bool(self._open)
        self._tell(expected)
        if kind == "," or self._text() == ";":
            self._advance()
        else:
            self._skip()
        return False

    def _closes_something(self) -> bool:
        return any(_CLOSERS[opening] == self._kind for opening, _ in self._open)

    def _unclosed(self) -> None:
        """Tell of the innermost bracket that is still open where the file ends."""
        opening, at = self._open[-1]
        if self._balanced:
            remedy = f'add "{_CLOSERS[opening]}"'
            self._reading.problems.add(at, f'"{opening}" is never closed', remedy, code=Code.SYNTAX)
        self._balanced = False

    def _tell(self, expected: str) -> None:
        """Note that the token stands in the wrong place. A bracket that closes nothing is told once."""
        self._balanced = self._balanced and (self._kind not in _CLOSERS.values() or self._closes_something())
        what, remedy, code = unexpected(self._tokens[self._index], expected)
        self._reading.problems.add(self._at(), what, remedy, code=code)

    def _skip(self) -> None:
        """Go to the next line, comma or closing bracket that belongs to what is being read."""
        line = self._at().line
        depth = parentheses = 0
        while self._kind != END:
            text = self._text()
            if depth == 0 and (
                text in _CLOSERS.values() or self._at().line > line or (text == "," and not parentheses)
            ):
                return
            depth += _DEEPER.get(text, 0)
            parentheses += _PARENTHESES.get(text, 0)
            self._advance()

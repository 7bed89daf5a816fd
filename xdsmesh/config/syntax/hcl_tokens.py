"""The words, signs and values of an HCL text, one after the other."""

import re
from itertools import islice
from typing import Final, NamedTuple

# Nothing is possessive here (`*+`): Python 3.11.2, that of Debian 12, loses its place when something within
# backtracks, and took an unclosed comment for one that is closed: https://github.com/python/cpython/issues/106052
_TOKEN: Final = re.compile(
    r"""
    (?: [ \t\r\n]+ | (?:\#|//)[^\n]* | /\*(?s:.*?)\*/ )*
    (?: (?P<word> [^\W\d][\w.-]* )
    |   (?P<text> "[^"\\\n]*(?:\\.[^"\\\n]*)*" )
    |   (?P<number> -?\.?\d(?:[eE][+-](?=\d)|[\w.])* )
    |   (?P<sign> =(?![=>]) | [{}\[\],] )
    |   (?P<heredoc>
            <<-?(?P<mark>[^\W\d]\w*)[ \t\r]*\n (?s:.*?)(?<=\n) [ \t]*(?P=mark)(?=[ \t\r]*(?:\n|\Z)) )
    |   (?P<end> \Z )
    |   (?P<stray> "[^\n]* | '[^'\n]*'? | /\*(?s:.*) | <<-?[^\W\d](?s:.*) | [-+*/%?!&|<>=]+ | (?s:.) )
    )""",
    re.VERBOSE,
)

MAX_PIECES: Final = 400_000
"""How many pieces one text may have: real config of a mebibyte has some 200,000."""

WORD: Final = "word"
TEXT: Final = "text"
NUMBER: Final = "number"
HEREDOC: Final = "heredoc"
END: Final = "end"
STRAY: Final = "stray"


class Token(NamedTuple):
    """A piece of a text, and the offset where it starts.

    ``kind`` is one of the words above; of a sign (``=``, a bracket, a comma) it is the sign.
    """

    kind: str
    text: str
    start: int


class Tokens:
    """The pieces of a text, in lists beside each other since there may be many. The last one is the end.

    A text of too many pieces is divided only as far as ``MAX_PIECES``, and has no end.
    """

    def __init__(self, text: str) -> None:
        self.kinds: list[str] = []
        self.texts: list[str] = []
        self.starts: list[int] = []
        for match in islice(_TOKEN.finditer(text), MAX_PIECES):
            kind = match.lastgroup or END
            piece = match[kind]
            self.kinds.append(piece if kind == "sign" else kind)
            self.texts.append(piece)
            self.starts.append(match.start(kind))
            if kind == END:
                return

    def __getitem__(self, index: int) -> Token:
        return Token(self.kinds[index], self.texts[index], self.starts[index])

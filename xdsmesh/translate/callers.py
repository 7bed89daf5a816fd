"""Sets of services as expressions over SPIFFE ids, in RE2's syntax, which match the whole id."""

from collections.abc import Iterable
from typing import Final

import re2

from xdsmesh.ir.authorization import Services

_ANY: Final = "[^/]+"
_NOBODY: Final = "spiffe://nobody.invalid"
"""An id that no certificate of any mesh has."""

_Trie = dict[str, "_Trie"]
_END: Final = ""
"""The key that marks the end of a name."""


def regex_of(services: Services, trust_domain: str) -> str:
    """An expression for the ids of these services, in whatever datacenter they are."""
    if not services.names:
        return _ids(_ANY, trust_domain) if services.inverted else re2.escape(_NOBODY)
    if services.inverted:
        return _ids(all_but(services.names), trust_domain)
    return _ids(_one_of(services.names), trust_domain)


def regex_of_named(services: Services, trust_domain: str) -> str:
    """An expression for the ids of the services that are named, be the set of those or of all others."""
    return regex_of(Services(services.names), trust_domain)


def _ids(service: str, trust_domain: str) -> str:
    return f"spiffe://{re2.escape(trust_domain)}/ns/default/dc/{_ANY}/svc/{service}"


def _one_of(names: tuple[str, ...]) -> str:
    escaped = "|".join(map(re2.escape, names))
    return escaped if len(names) == 1 else f"({escaped})"


def all_but(names: Iterable[str]) -> str:
    """An expression for every name but these; RE2 has no way to say "not".

    It follows the letters of the names as long as they agree, and takes whatever differs: its length is that
    of the names together.
    """
    root: _Trie = {}
    for name in names:
        node = root
        for letter in name:
            node = node.setdefault(letter, {})
        node[_END] = {}
    return _differing(root, may_end=False)


def _differing(node: _Trie, *, may_end: bool) -> str:
    """What may follow so that the whole is none of the names."""
    letters = sorted(node.keys() - {_END})
    if not letters:  # a name ends here, and no other goes on: anything more differs
        return _ANY
    other = "".join(map(re2.escape, letters))
    longer = (re2.escape(each) + _differing(node[each], may_end=True) for each in letters)
    ways = [f"[^/{other}][^/]*", *longer]
    optional = "?" if may_end and _END not in node else ""
    return f"({'|'.join(ways)}){optional}"

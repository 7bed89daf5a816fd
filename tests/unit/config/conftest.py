"""Trees as plain values, for tests of the syntaxes."""

from typing import Any

import pytest

from xdsmesh.config.syntax import parse
from xdsmesh.config.tree import Array, Node, Object, Scalar


def plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Array):
        return [plain(item) for item in node.items]
    assert isinstance(node, Object)
    return {member.key: plain(member.value) for member in node.members}


class Reader:
    """Reads texts of one syntax."""

    def __init__(self, ending: str) -> None:
        self.ending = ending

    def roots(self, text: str) -> list[Node]:
        parsed = parse(f"f.{self.ending}", text.encode(), self.ending)
        assert not parsed.problems
        return list(parsed.roots)

    def values(self, text: str) -> list[Any]:
        return [plain(root) for root in self.roots(text)]

    def problems(self, text: str) -> list[str]:
        parsed = parse(f"f.{self.ending}", text.encode(), self.ending)
        return [str(problem).removeprefix(f"f.{self.ending}:") for problem in parsed.problems]


@pytest.fixture(scope="session")
def hcl() -> Reader:
    return Reader("hcl")


@pytest.fixture(scope="session")
def json() -> Reader:
    return Reader("json")


@pytest.fixture(scope="session")
def yaml() -> Reader:
    return Reader("yaml")

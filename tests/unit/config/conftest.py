"""Trees as plain values, for tests of the syntaxes; and service definitions, as the API takes them."""

from collections.abc import Callable
from json import dumps
from typing import Any

import pytest

from xdsmesh.config.files import decode_service
from xdsmesh.config.service import ServiceDefinition, expand
from xdsmesh.config.syntax import parse
from xdsmesh.config.tree import Array, Node, Object, Scalar
from xdsmesh.model import catalog
from xdsmesh.model.errors import RefusedError


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


@pytest.fixture(scope="session")
def service() -> Callable[..., ServiceDefinition]:
    """Reads the definition of a service from its fields."""
    return _service


@pytest.fixture(scope="session")
def problems() -> Callable[..., list[str]]:
    """The problems of a service with some fields; there must be some."""

    def found(**fields: Any) -> list[str]:
        with pytest.raises(RefusedError) as refused:
            _service(**fields)
        return [str(problem) for problem in refused.value.problems]

    return found


@pytest.fixture(scope="session")
def instances() -> Callable[..., tuple[catalog.Instance, ...]]:
    """The instances of a service with some fields; a sidecar that names no port gets 21000."""
    node = catalog.Node("n1", "10.0.0.1", "dc1")
    return lambda **fields: expand(_service(**fields), node, lambda _: 21000)


def _service(**fields: Any) -> ServiceDefinition:
    return decode_service(dumps(fields).encode())

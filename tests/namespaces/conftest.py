"""Two datacenters in network namespaces, where this machine permits that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.namespaces.datacenters import Datacenters
from tests.namespaces.namespaces import why_not

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_LEFT_OUT: Final = (
    "left out: two datacenters with equal addresses, in network namespaces joined only by gateways"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    if ours and (reason := why_not()):
        for item in ours:
            item.add_marker(pytest.mark.skip(reason=f"{_LEFT_OUT}; {reason}"))


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Datacenters]:
    async with Datacenters(tmp_path) as datacenters:
        yield datacenters

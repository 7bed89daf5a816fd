"""The Envoy resources of each case are those in its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from tests.golden.conftest import Case


def test_resources_are_those_of_the_golden_files(
    case: Case, outputs: dict[str, str], pytestconfig: pytest.Config
) -> None:
    if pytestconfig.getoption("--update-golden"):
        case.update(outputs)
    assert case.golden() == outputs, "run `make golden` and read the diff"


def test_every_case_has_inputs(case: Case) -> None:
    assert case.inputs


def test_every_file_belongs_to_a_case_that_runs(lost_files: list[str]) -> None:
    assert not lost_files, "a case is a folder <topic>/<case> with a proxy.txt in it"

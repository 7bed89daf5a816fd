"""``xdsmesh validate``: all that is wrong with files, alone and together."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

FILES = {
    "fine/defaults.hcl": 'Kind = "service-defaults"\nName = "web"\nProtocol = "http"\n',
    "fine/router.json": '{"Kind": "service-router", "Name": "web", "Routes": []}',
    "fine/services.yaml": "services:\n  - { name: web, port: 80 }\n  - { name: web, id: web-2, port: 81 }\n",
    "fine/notes.txt": "Kind = ???",
    "more/defaults.hcl": '\nKind = "service-defaults"\nName = "web"\nProtocol = "http"\n',
    "more/service.hcl": 'service {\n  name = "web"\n  port = 82\n}\n',
    "broken/typo.hcl": 'Kind = "service-defaults"\nName = "web"\nProtokol = "http"\n',
    "broken/regex.yaml": "Kind: service-router\nName: api\nRoutes:\n"
    '  - Match: { HTTP: { PathRegex: "(", Methods: [GOT] } }\n',
    "broken/text.json": '{"Kind": }',
    "loose/router.hcl": 'Kind = "service-router"\nName = "api"\n',
    "doubtful/resolver.hcl": 'Kind = "service-resolver"\nName = "web"\n'
    'Subsets { v1 { Filter = "Service.Port == high" } }\n',
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> None:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    (tmp_path / "empty").mkdir()


def as_json(result: subprocess.CompletedProcess[str], code: int) -> dict[str, Any]:
    assert (result.returncode, result.stderr) == (code, "")
    told: dict[str, Any] = json.loads(result.stdout)
    assert list(told) == ["Valid", "Problems", "Warnings"]
    assert told["Valid"] is (code == 0)
    return told


def test_what_is_fine_is_said_in_one_line(xdsmesh: Run) -> None:
    result = xdsmesh("validate", "fine")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "2 entries, 2 services in 3 files: fine\n"
    assert as_json(xdsmesh("validate", "fine", "--format", "json"), 0) == {
        "Valid": True,
        "Problems": [],
        "Warnings": [],
    }


def test_standard_input_can_be_checked(xdsmesh: Run) -> None:
    result = xdsmesh("validate", "-", stdin=FILES["fine/defaults.hcl"])
    assert result.stdout == "1 entry, 0 services in 1 file: fine\n"


def test_all_problems_of_all_files_are_told_with_their_places(xdsmesh: Run) -> None:
    result = xdsmesh("validate", "fine", "broken", "absent.hcl")
    assert (result.returncode, result.stdout) == (1, "")
    *lines, summary = result.stderr.splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "absent.hcl",
        "broken/regex.yaml:4:33",
        "broken/regex.yaml:4:48",
        "broken/text.json:1:10",
        "broken/typo.hcl:3:1",
    ]
    assert summary == "5 problems in 4 of 7 files"


def test_a_problem_in_json_has_its_code_its_place_and_its_remedy(xdsmesh: Run) -> None:
    (problem,) = as_json(xdsmesh("validate", "broken/typo.hcl", "--format", "json"), 1)["Problems"]
    message = problem.pop("Message")
    assert "Protokol" in message
    assert problem == {
        "Code": "XM0203",
        "File": "broken/typo.hcl",
        "Line": 3,
        "Column": 1,
        "Path": "Protokol",
        "Remedy": "did you mean Protocol?",
    }


def test_what_files_both_declare_is_a_problem_of_both_together(xdsmesh: Run) -> None:
    result = xdsmesh("validate", "fine", "more")
    assert result.returncode == 1
    entry, service, _ = result.stderr.splitlines()
    assert entry.startswith("more/defaults.hcl:2:1: ")
    assert "service-defaults/web is declared twice" in entry
    assert "fine/defaults.hcl:1:1" in entry
    assert service.startswith("more/service.hcl:1:")
    assert "service web is declared twice" in service


def test_entries_that_do_not_fit_together_are_a_problem(xdsmesh: Run) -> None:
    (problem,) = as_json(xdsmesh("validate", "fine", "loose", "--format", "json"), 1)["Problems"]
    assert (problem["File"], problem["Line"], problem["Code"]) == ("loose/router.hcl", 1, "XM0406")


def test_a_broken_file_hides_no_duplicate_and_invents_no_misfit(xdsmesh: Run) -> None:
    result = xdsmesh("validate", "broken/text.json", "loose", "fine", "more")
    assert [line.split(":")[0] for line in result.stderr.splitlines()[:-1]] == [
        "broken/text.json",
        "more/defaults.hcl",
        "more/service.hcl",
    ]


def test_what_is_accepted_and_will_not_work_is_a_warning(xdsmesh: Run) -> None:
    result = xdsmesh("validate", "doubtful")
    assert (result.returncode, result.stdout) == (0, "1 entry, 0 services in 1 file: fine\n")
    assert result.stderr.startswith("doubtful/resolver.hcl:1:1: warning: ")
    assert "Service.Port is a number" in result.stderr
    (warning,) = as_json(xdsmesh("validate", "doubtful", "--format", "json"), 0)["Warnings"]
    assert (warning["File"], warning["Line"], warning["Column"]) == ("doubtful/resolver.hcl", 1, 1)
    assert "Service.Port is a number" in warning["Message"]


def test_a_folder_without_config_files_is_a_problem(xdsmesh: Run) -> None:
    result = xdsmesh("validate", "empty")
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "empty: XM0107 there is no config file in it (they end in .hcl, .json, .yaml, .yml)",
        "1 problem",
    ]


def test_nothing_to_check_is_wrong_usage(xdsmesh: Run) -> None:
    assert xdsmesh("validate").returncode == 2


def test_a_check_by_itself_is_of_a_service_in_the_files(xdsmesh: Run, tmp_path: Path) -> None:
    check = 'check {\n  name = "c"\n  service_id = "web-2"\n  ttl = "1s"\n}\n'
    (tmp_path / "check.hcl").write_text(check)
    alone = xdsmesh("validate", "check.hcl")
    assert alone.returncode == 1
    assert 'check.hcl:1:1: XM0305 the check c is of "web-2", which no file declares' in alone.stderr
    together = xdsmesh("validate", "fine", "check.hcl")
    assert together.stdout == "2 entries, 2 services, 1 check beside them in 4 files: fine\n"

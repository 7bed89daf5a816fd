import os
import pty
import subprocess
import sys

import pytest
from rich.text import Text

from xdsmesh.cli.output import show_fields, show_table

SCRIPT = """
import pytest
from rich.text import Text
from rich.tree import Tree
from xdsmesh.cli.output import show_table, show_tree
show_table(["id"], [[Text("web-1", "green")]])
show_tree(Tree(Text("web", "red")))
"""


def test_in_a_pipe_columns_are_aligned_and_nothing_is_cut_or_interpreted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    long = "x" * 300
    show_table(["id", "what"], [["web-1", "[bold]"], ["web-1-sidecar-proxy", Text(long, "red")]])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "ID                   WHAT",
        "web-1                [bold]",
        f"web-1-sidecar-proxy  {long}",
    ]


def test_on_a_terminal_there_is_colour(environment: dict[str, str]) -> None:
    master, slave = pty.openpty()
    try:
        terminal = {**environment, "TERM": "xterm-256color"}
        subprocess.run([sys.executable, "-c", SCRIPT], stdout=slave, env=terminal, timeout=30, check=True)
        shown = os.read(master, 4096).decode()
    finally:
        os.close(slave)
        os.close(master)
    assert "\x1b[32mweb-1" in shown
    assert "\x1b[31mweb" in shown


def test_fields_are_named_by_their_paths(capsys: pytest.CaptureFixture[str]) -> None:
    show_fields({"Name": "web", "Splits": [{"Weight": 90}, {"Weight": 10}], "Meta": {}, "On": True})
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert rows == [
        ["Name", "web"],
        ["Splits[0].Weight", "90"],
        ["Splits[1].Weight", "10"],
        ["Meta", "{}"],
        ["On", "true"],
    ]


def test_progress_is_shown_on_a_terminal_only_and_only_of_many(environment: dict[str, str]) -> None:
    script = "from xdsmesh.cli.output import progress\nfor n in {}: list(progress(range(n), 'Reading'))"
    terminal = {**environment, "TERM": "xterm-256color"}

    def said(numbers: str) -> str:
        master, slave = pty.openpty()
        try:
            command = [sys.executable, "-c", script.format(numbers)]
            result = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=slave, env=terminal, timeout=30, check=True
            )
            assert result.stdout == b""
            os.write(slave, b"end")
            return os.read(master, 4096).decode()
        finally:
            os.close(slave)
            os.close(master)

    assert "Reading ..." in said("[50]")
    assert said("[0, 9]") == "end"
    piped = subprocess.run(
        [sys.executable, "-c", script.format("[50]")],
        capture_output=True,
        env=terminal,
        timeout=30,
        check=True,
    )
    assert (piped.stdout, piped.stderr) == (b"", b"")

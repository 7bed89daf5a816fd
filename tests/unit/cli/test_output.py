import os
import pty
import subprocess
import sys

import pytest
from rich.text import Text

from xdsmesh.cli.output import show_table

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

"""What a person sees of a demo: plain text where the output is no terminal."""

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from xdsmesh.demo.calls import ALLOWED
from xdsmesh.demo.checks import Findings, listed
from xdsmesh.demo.layout import ADMINS, CLIENT, SPLIT_AFTER, SPLIT_BEFORE, WEB
from xdsmesh.demo.network import Network
from xdsmesh.demo.verdicts import Verdict

_YES: Final = "[green]✓[/]"
_NO: Final = "[red]✗[/]"
_LOG_WIDTH: Final = 140
"""Columns where nobody says how wide it is: a file, a log."""


class Show:
    """Tells the story as it happens; to standard error if standard output is for a machine."""

    def __init__(self, *, to_stderr: bool) -> None:
        file = sys.stderr if to_stderr else sys.stdout
        width = None if file.isatty() else _LOG_WIDTH
        self._console = Console(file=file, width=width, highlight=False)

    @contextmanager
    def step(self, doing: str) -> Iterator[None]:
        """Show what is being waited for, and how long it took."""
        start = time.monotonic()
        with self._console.status(f"{doing} ..."):
            yield
        self._console.print(f"{_YES} {doing} [dim]{time.monotonic() - start:.1f} s[/]")

    def topology(self, network: Network) -> None:
        """Who calls whom, and where they are."""
        listener = f"{network.host(CLIENT.host)}:{network.upstream_port}"
        tree = Tree(f"[bold]{CLIENT.id}[/] calls [bold]web[/] through its Envoy, at {listener}")
        tree.add(f"/       → web    {WEB.id} {network.host(WEB.host)}")
        admin = tree.add("/admin  → admin  [dim]service-router; the prefix is rewritten to /[/]")
        for version, share in sorted(SPLIT_BEFORE.items()):
            subset = admin.add(f"{share:.0%} {version}")
            for each in ADMINS:
                if each.version == version:
                    subset.add(f"{each.id} {network.host(each.host)}")
        self.gap(tree)
        self._console.print("[dim]every instance has an Envoy of its own; between Envoys all is mTLS[/]")

    def findings(self, findings: Findings) -> None:
        """What came back beside what was promised."""
        shift = findings.shift
        self.gap(_split("the split, 90/10", findings.by_version, SPLIT_BEFORE))
        self.line("requests to /admin", f"{findings.requests}, failed {sum(findings.failures.values())}")
        self.line("/ is answered by", listed(findings.home_services))
        self.line("/admin/x reaches admin as", listed(findings.admin_paths))
        self.line("admin's peer over mTLS", listed(findings.peers))
        self.gap(_split("after the shift, 50/50", shift.by_version, SPLIT_AFTER))
        self.line("requests around the edit", f"{shift.requests}, failed {sum(shift.failures.values())}")
        self.line("from the edit to the last ACK", f"{shift.ack_ms:.0f} ms")

    def verdicts(self, verdicts: Iterable[Verdict], config: Path) -> None:
        """What became of each call, and who decided; places are shown as seen from the config folder."""
        self.gap(_verdicts(verdicts, config))

    def verdict(self, problems: Sequence[str]) -> None:
        """Whether all of it held, or what did not."""
        self._console.print()
        for problem in problems:
            self._console.print(f"{_NO} {escape(problem)}")
        if not problems:
            self._console.print(f"{_YES} [bold green]all of it held[/]")

    def failure(self, what: str) -> None:
        """Why the demo could not go on."""
        self._console.print(f"\n{_NO} {escape(what)}", soft_wrap=True)

    def tails(self, tails: Mapping[str, str]) -> None:
        """The end of what the processes wrote."""
        for name, tail in tails.items():
            self._console.print(f"\n[bold]{name}[/] wrote at last:\n{escape(tail)}", soft_wrap=True)

    def keep(self, commands: Iterable[str]) -> None:
        """What to try while the mesh runs."""
        self._console.print("\nThe mesh keeps running until Ctrl-C. Try in another terminal:")
        for command in commands:
            self._console.print(f"  {escape(command)}", soft_wrap=True)

    def stopped(self) -> None:
        """The person has had enough."""
        self._console.print("stopped, and cleaned up")

    def line(self, what: str, value: str) -> None:
        """A finding by its name."""
        self._console.print(f"{what:30} [bold]{escape(value)}[/]", soft_wrap=True)

    def gap(self, what: Table | Tree) -> None:
        """Something larger, after an empty line."""
        self._console.print()
        self._console.print(what)


def _split(title: str, observed: Mapping[str, int], shares: Mapping[str, float]) -> Table:
    total = sum(observed.values())
    table = Table(title=title, title_justify="left")
    for column in ("version", "expected", "observed", "requests"):
        table.add_column(column, justify="right")
    for version, share in sorted(shares.items()):
        count = observed.get(version, 0)
        table.add_row(version, f"{share:.1%}", f"{count / total:.1%}" if total else "-", str(count))
    return table


def _verdicts(verdicts: Iterable[Verdict], config: Path) -> Table:
    table = Table(title="who calls whom", title_justify="left")
    for column in ("from", "to", "protocol", "expected", "observed", "what was seen, and why"):
        table.add_column(column)
    for each in verdicts:
        colour = "green" if each.answer.observed == ALLOWED else "yellow"
        held = each.answer.observed == each.expected
        table.add_row(
            each.source,
            each.destination,
            each.protocol,
            each.expected,
            f"[{colour if held else 'red'}]{escape(each.answer.observed)}[/]",
            escape(_why(each).replace(f"{config}/", "")),
        )
    return table


def _why(verdict: Verdict) -> str:
    """What was seen, and the rule without the words that are in the table already."""
    rule = verdict.rule
    for said in (" is allowed ", " is denied "):
        rule = rule.partition(said)[2] or rule
    return ", ".join(filter(None, (verdict.answer.seen, rule)))

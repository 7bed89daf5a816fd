"""What a person sees of the demo of identities."""

from pathlib import Path

from rich.tree import Tree

from xdsmesh.demo.identity.checks import FORBIDDEN, OK, Findings, slowest_ms
from xdsmesh.demo.identity.layout import API, DB, INTENTIONS, LEDGER, WEB
from xdsmesh.demo.network import Network
from xdsmesh.demo.show import Show


def show_topology(show: Show, network: Network) -> None:
    """Who is there, and who may call whom."""
    tree = Tree(f"who may call whom [dim]({INTENTIONS}, ledger-intentions.hcl; by default nobody)[/]")
    for callee, api_may, web_may in (
        (DB, "GET under /v1/, but nothing under /v1/admin", "denied"),
        (LEDGER, "allowed", "not mentioned"),
    ):
        branch = tree.add(f"[bold]{callee.service}[/] {callee.protocol}, {network.host(callee.host)}")
        branch.add(f"{API.service} {network.host(API.host)}: {api_may}")
        branch.add(f"{WEB.service} {network.host(WEB.host)}: {web_may}")
    show.gap(tree)


def show_findings(show: Show, findings: Findings, config: Path) -> None:
    """What became of each call and who decided, and how the intentions changed under open connections."""
    show.verdicts(findings.verdicts, config)
    change = findings.change
    show.line("db is told that api is", findings.peer)
    show.line("web's token at db's stream", findings.stream_refusal.partition(": ")[0])
    show.line("web's token asks for db's key", "403" if findings.key_refused else "got it")
    for what, edit, status in (
        ("intention tightened", change.tightened, FORBIDDEN),
        ("intention loosened", change.loosened, OK),
    ):
        took = slowest_ms(change, edit, status)
        show.line(what, f"{status} on open connections after {took:.0f} ms; last ACK {edit.ack_ms:.0f} ms")
    show.line("requests on them meanwhile", f"{change.requests}, failed {change.failed}")

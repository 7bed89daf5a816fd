"""What a person sees of the demo of datacenters."""

from pathlib import Path

from rich.tree import Tree

from xdsmesh.demo.datacenters.checks import Findings, caught_up_ms, let_in_ms
from xdsmesh.demo.datacenters.layout import INTENTIONS, TEXTS
from xdsmesh.demo.datacenters.side import Side
from xdsmesh.demo.network import Network
from xdsmesh.demo.show import Show


def show_topology(show: Show, network: Network, *sides: Side) -> None:
    """Who is where, and who may call whom."""
    tree = Tree(f"two datacenters; who may call whom is written in dc1 [dim]({INTENTIONS}, ...)[/]")
    for side in sides:
        mesh, gateway = side.mesh, side.gateway
        branch = tree.add(f"[bold]{side.name}[/], control plane {side.running.http_addr}")
        for each in mesh.instances:
            branch.add(f"{each.service:7} {each.protocol:4} {network.host(each.host)}")
        wan = f"{network.host(gateway.wan_host)}:{network.gateway_port}"
        branch.add(f"{gateway.proxy} {network.host(gateway.host)}; others know it as {wan}: there is the spy")
    show.gap(tree)


def show_findings(show: Show, findings: Findings, config: Path) -> None:
    """What became of each call, what the spies saw, and how the changes took hold."""
    changes, between, beside = findings.changes, findings.between, findings.beside
    show.verdicts((*findings.verdicts, *changes.without), config)
    show.line("db is told that api is", findings.peer)
    for name, count in sorted(between.server_names.items()):
        show.line("the spy was asked for", f"{name or 'no name'}, {count} times")
    show.line("it saw between the gateways", f"{between.size:,} bytes, {_readable(between.readable)}")
    show.line("and beside api", f"{beside.size:,} bytes, {_readable(beside.readable)}")
    for gateway, words in findings.keys.items():
        show.line(f"keys that {gateway} holds", ", ".join(sorted(words)) or "none")
    show.line("web let in by dc1", f"200 in dc2 after {let_in_ms(changes):.0f} ms")
    caught_up = f"403 in dc2 {caught_up_ms(changes):.0f} ms after its control plane was back"
    show.line("kept out meanwhile", f"{caught_up}, as db's Envoy came to it again")
    count = len(changes.web) + len(changes.api)
    show.line("requests all the while", f"{count}, failed {findings.failed}")


def _readable(texts: frozenset[bytes]) -> str:
    return f"{len(texts) or 'none'} of {len(TEXTS)} texts readable"

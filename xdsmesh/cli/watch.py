"""``xdsmesh watch``: print something, or hand it to a command, now and whenever it changes."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from xdsmesh.cli.complete import service_ids, service_names
from xdsmesh.cli.options import DEFAULT_HTTP_ADDR, CaCert, Filter, HttpAddr, Token, given

if TYPE_CHECKING:
    from xdsmesh.cli.watching import Question

EXAMPLES: Final = """Examples:

xdsmesh watch -type services

xdsmesh watch -type service -service web -passingonly ./reload.sh"""

READING: Final = {"allow_interspersed_args": False}
"""How the arguments are read: what follows the first word that is no flag is the handler's."""


class WatchType(StrEnum):
    """What is watched."""

    SERVICES = "services"
    SERVICE = "service"
    NODES = "nodes"
    CHECKS = "checks"
    CONNECT_ROOTS = "connect_roots"
    CONNECT_LEAF = "connect_leaf"
    AGENT_SERVICE = "agent_service"


def watch(
    handler: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND ARG", help="Gets each JSON on its standard input."),
    ] = None,
    *,
    watch_type: Annotated[WatchType, typer.Option("--type", help="What to watch.")],
    service: Annotated[
        str,
        typer.Option(
            metavar="SERVICE",
            help="The service of service, connect_leaf and perhaps checks.",
            show_default=False,
            autocompletion=service_names,
        ),
    ] = "",
    service_id: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="The instance of agent_service.",
            show_default=False,
            autocompletion=service_ids,
        ),
    ] = "",
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Of a service: with it. Repeatable.")
    ] = None,
    passingonly: Annotated[
        bool, typer.Option("--passingonly", help="Of a service: only what is healthy.")
    ] = False,
    state: Annotated[
        str,
        typer.Option(
            metavar="STATUS", help="Of checks: passing, warning, critical or any.", show_default=False
        ),
    ] = "",
    filter_: Filter = "",
    shell: Annotated[
        bool, typer.Option("--shell/--no-shell", help="Whether a shell runs the command.")
    ] = True,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Print as JSON what there is, and again whenever it changes, until Ctrl-C."""
    question = _question(watch_type, service=service, service_id=service_id, state=state)
    if (tag or passingonly) and watch_type is not WatchType.SERVICE:
        raise typer.BadParameter("--tag and --passingonly go with --type service")
    query: dict[str, str | list[str]] = {
        **given(filter=filter_, passing="true" if passingonly else ""),
        **({"tag": tag} if tag else {}),
    }
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.watching import changes, print_seen, run_handler

    with Client(http_addr, token, ca_cert) as client:
        for seen in changes(client, question, query):
            if handler:
                run_handler(handler, seen, shell=shell)
            else:
                print_seen(seen)


def _question(watch_type: WatchType, *, service: str, service_id: str, state: str) -> "Question":
    """The path of what is watched.

    Raises:
        BadParameter: flags are missing, or do not go together.
    """
    from xdsmesh.cli.client import segment
    from xdsmesh.cli.watching import Question

    needs = {
        WatchType.SERVICE: ("--service", service),
        WatchType.CONNECT_LEAF: ("--service", service),
        WatchType.AGENT_SERVICE: ("--service-id", service_id),
    }
    flag, value = needs.get(watch_type, ("", ""))
    if flag and not value:
        raise typer.BadParameter(f"--type {watch_type} needs {flag}")
    _refuse_strays(watch_type, service=service, service_id=service_id, state=state)
    checks = f"checks/{segment(service)}" if service else f"state/{segment(state or 'any')}"
    paths = {
        WatchType.SERVICES: "catalog/services",
        WatchType.SERVICE: f"health/service/{segment(service)}",
        WatchType.NODES: "catalog/nodes",
        WatchType.CHECKS: f"health/{checks}",
        WatchType.CONNECT_ROOTS: "agent/connect/ca/roots",
        WatchType.CONNECT_LEAF: f"agent/connect/ca/leaf/{segment(service)}",
        WatchType.AGENT_SERVICE: f"agent/service/{segment(service_id)}",
    }
    return Question(f"/v1/{paths[watch_type]}", by_hash=watch_type is WatchType.AGENT_SERVICE)


def _refuse_strays(watch_type: WatchType, *, service: str, service_id: str, state: str) -> None:
    if service and state:
        raise typer.BadParameter("give --service or --state, not both")
    if service and watch_type not in (WatchType.SERVICE, WatchType.CONNECT_LEAF, WatchType.CHECKS):
        raise typer.BadParameter("--service goes with --type service, checks or connect_leaf")
    if service_id and watch_type is not WatchType.AGENT_SERVICE:
        raise typer.BadParameter("--service-id goes with --type agent_service")
    if state and watch_type is not WatchType.CHECKS:
        raise typer.BadParameter("--state goes with --type checks")

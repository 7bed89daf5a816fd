"""``xdsmesh chain``: where the requests to a service may go, from a server or from files alone."""

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from xdsmesh.cli.complete import service_names
from xdsmesh.cli.errors import REFUSED, CommandError, ServerRefusedError
from xdsmesh.cli.options import DEFAULT_HTTP_ADDR, CaCert, HttpAddr, Token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xdsmesh.cli.offline import Request

_DATACENTER: Final = "dc1"
_TRUST_DOMAIN: Final = "trustdomain.consul"


class ChainFormat(StrEnum):
    """How a chain is shown."""

    TREE = "tree"
    TABLE = "table"
    JSON = "json"


def chain(
    service: Annotated[
        str,
        typer.Argument(metavar="SERVICE", help="The service that is called.", autocompletion=service_names),
    ],
    more_files: Annotated[
        list[str] | None, typer.Argument(metavar="PATH", help="More paths of --files.")
    ] = None,
    *,
    files: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH", help="Ask no server, read this file or all config files of a folder. Repeatable."
        ),
    ] = None,
    datacenter: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"Where it is called; default: the server's, else {_DATACENTER}."),
    ] = None,
    trust_domain: Annotated[
        str | None, typer.Option(metavar="NAME", help=f"Only with --files; default: {_TRUST_DOMAIN}.")
    ] = None,
    override_protocol: Annotated[
        str, typer.Option(metavar="PROTOCOL", help="Such as http.", show_default=False)
    ] = "",
    override_mesh_gateway: Annotated[
        str, typer.Option(metavar="MODE", help="none, local or remote.", show_default=False)
    ] = "",
    override_connect_timeout: Annotated[
        str, typer.Option(metavar="DURATION", help="Such as 250ms.", show_default=False)
    ] = "",
    output_format: Annotated[
        ChainFormat, typer.Option("--format", help="How to show the result.")
    ] = ChainFormat.TREE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Show the discovery chain of a service: its routes, splits, targets and failovers."""
    if not files and (more_files or trust_domain is not None):
        raise typer.BadParameter("paths and --trust-domain go with --files")
    overrides = (override_protocol, override_mesh_gateway, override_connect_timeout)
    try:
        if files:
            from xdsmesh.cli.offline import Request

            place = (_given_or(datacenter, _DATACENTER), _given_or(trust_domain, _TRUST_DOMAIN))
            shown = _compile([*files, *(more_files or ())], Request(service, *place, *overrides))
        else:
            from xdsmesh.cli.client import Client

            with Client(http_addr, token, ca_cert) as client:
                shown = client.chain(service, datacenter or "", _body(*overrides))
    except CommandError as error:
        if output_format is not ChainFormat.JSON and not isinstance(error, ServerRefusedError):
            raise
        shown = refusal(str(error))
    _show(shown, output_format)


def _compile(paths: "Sequence[str]", request: "Request") -> dict[str, Any]:
    """The chain under ``Chain``, or why there is none under ``Error``."""
    from xdsmesh.chain.render import render_chain, render_error
    from xdsmesh.chain.types import ChainError
    from xdsmesh.cli.offline import compile_files

    compiled = compile_files(paths, request)
    return render_error(compiled) if isinstance(compiled, ChainError) else render_chain(compiled)


def _body(protocol: str, mesh_gateway: str, connect_timeout: str) -> dict[str, Any]:
    """The overrides as the API takes them."""
    overrides = {
        "OverrideProtocol": protocol,
        "OverrideMeshGateway": {"Mode": mesh_gateway} if mesh_gateway else None,
        "OverrideConnectTimeout": connect_timeout,
    }
    return {key: value for key, value in overrides.items() if value}


def refusal(told: str) -> dict[str, Any]:
    """Why a server gave no chain, as it told it, in the shape in which files alone have it told."""
    from xdsmesh.chain.render import render_error
    from xdsmesh.chain.types import ChainError, ErrorCode

    graph_codes = "|".join(code for code in ErrorCode if code is not ErrorCode.INPUT)
    named = re.search(rf"\b({graph_codes}): (.*)", told, re.DOTALL)
    error = ChainError(ErrorCode(named[1]), named[2]) if named else ChainError(ErrorCode.INPUT, told)
    return render_error(error)


def _given_or(text: str | None, default: str) -> str:
    return default if text is None else text


def _show(shown: dict[str, Any], output_format: ChainFormat) -> None:
    from xdsmesh.cli.output import show_json, show_tree

    if output_format is ChainFormat.JSON:
        show_json(shown)
        if "Error" in shown:
            raise typer.Exit(REFUSED)
    elif error := shown.get("Error"):
        raise CommandError(f"{error['Code']}: {error['Message']}")
    elif output_format is ChainFormat.TABLE:
        from xdsmesh.cli.output import show_fields

        show_fields(shown["Chain"])
    else:
        from xdsmesh.cli.chain_tree import chain_tree

        show_tree(chain_tree(shown["Chain"]))

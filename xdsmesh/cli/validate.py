"""``xdsmesh validate``: what is wrong with files, alone and together, before any server sees them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from xdsmesh.cli.errors import REFUSED
from xdsmesh.cli.options import Format, OutputFormat

if TYPE_CHECKING:
    from xdsmesh.cli.judge import Judgement
    from xdsmesh.model.errors import Place


def validate(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Files and folders: HCL, JSON or YAML; - is standard input."),
    ],
    *,
    output_format: OutputFormat = Format.TABLE,
) -> None:
    """Check config files, each alone and all of them together, and ask no server."""
    from xdsmesh.cli.judge import judge
    from xdsmesh.cli.output import show_json

    judgement = judge(paths)
    if output_format is Format.JSON:
        show_json(_as_json(judgement))
    else:
        _show(judgement)
    if judgement.problems:
        raise typer.Exit(REFUSED)


def _show(judgement: "Judgement") -> None:
    for problem in judgement.problems:
        typer.echo(problem, err=True)
    for warning in judgement.warnings:
        typer.echo(f"{warning.place}: warning: {warning.what}", err=True)
    typer.echo(judgement.summary, err=bool(judgement.problems))


def _as_json(judgement: "Judgement") -> dict[str, Any]:
    return {
        "Valid": not judgement.problems,
        "Problems": [
            {
                "Code": str(problem.code),
                **_where(problem.place),
                "Message": problem.what,
                "Remedy": problem.remedy,
            }
            for problem in judgement.problems
        ],
        "Warnings": [{**_where(warning.place), "Message": warning.what} for warning in judgement.warnings],
    }


def _where(place: "Place") -> dict[str, Any]:
    return {"File": place.source, "Line": place.line, "Column": place.column, "Path": place.path}

"""``xdsmesh config``: write, read, list and delete config entries."""

from typing import Annotated

import typer

from xdsmesh.cli.complete import kinds, targets
from xdsmesh.cli.errors import CommandError, ServerRefusedError, located
from xdsmesh.cli.options import (
    DEFAULT_HTTP_ADDR,
    CaCert,
    Filter,
    Format,
    HttpAddr,
    OutputFormat,
    Token,
    Wait,
    WaitTimeout,
)

_KIND_AND_NAME = 2

_EXAMPLES = """Examples:

xdsmesh config write splitter.hcl

xdsmesh config write --wait --wait-timeout 30s mesh/*.hcl

xdsmesh config write -cas -modify-index 7 splitter.hcl"""

app = typer.Typer(help="Write, read, list and delete config entries.", no_args_is_help=True)

Target = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KIND NAME",
        help="Such as service-router web; KIND/NAME will do.",
        autocompletion=targets,
    ),
]
Kind = Annotated[
    str | None, typer.Option(metavar="KIND", help="The kind, such as service-router.", autocompletion=kinds)
]
Name = Annotated[str | None, typer.Option(metavar="NAME", help="The entry's name.")]
Files = Annotated[
    list[str], typer.Argument(metavar="FILE", help="HCL, JSON or YAML; - is standard input (HCL or JSON).")
]
Cas = Annotated[
    int | None,
    typer.Option(metavar="INDEX", min=0, help="Only if the entry's ModifyIndex is this; 0: if it is new."),
]
ConsulCas = Annotated[bool, typer.Option("-cas", help="As -modify-index says, as Consul's command has it.")]
ModifyIndex = Annotated[
    int | None,
    typer.Option(metavar="INDEX", min=0, help="With -cas: the same as --cas INDEX."),
]


@app.command(epilog=_EXAMPLES)
def write(
    files: Files,
    *,
    cas: Cas = None,
    consul_cas: ConsulCas = False,
    modify_index: ModifyIndex = None,
    wait: Wait = False,
    wait_timeout: WaitTimeout = None,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Write the config entries of files together; none if one of them is wrong."""
    expected = _expected(cas, modify_index, consul_cas=consul_cas)
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.files import entries_of, entry_body
    from xdsmesh.cli.waiting import waiting

    awaited = waiting(wait=wait, wait_timeout=wait_timeout)
    entries = {f"{each.value.KIND}/{each.value.name}": each for each in entries_of(files)}
    if expected is not None and len(entries) != 1:
        raise typer.BadParameter(f"--cas is for a single entry, and there are {len(entries)}")
    bodies = [entry_body(each.value) for each in entries.values()]
    places = {title: each.place for title, each in entries.items()}
    with Client(http_addr, token, ca_cert, awaited) as client:
        try:
            written = (
                client.write_entries(bodies) if expected is None else client.write_entry(bodies[0], expected)
            )
        except ServerRefusedError as error:
            raise error.at(places) from error
    if not written.done:
        raise _changed_meanwhile(next(iter(entries)), expected)
    for warning in written.warnings:
        typer.echo(located(warning, places, "warning: "), err=True)
    for title in entries:
        typer.echo(f"Config entry written: {title}")
    if awaited:
        awaited.report()


@app.command()
def read(
    target: Target = None,
    *,
    kind: Kind = None,
    name: Name = None,
    output_format: OutputFormat = Format.JSON,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Print a config entry, as it can be written back."""
    entry_kind, entry_name = _identify(target, kind, name)
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_fields, show_json

    with Client(http_addr, token, ca_cert) as client:
        entry = client.entry(entry_kind, entry_name)
    show = show_json if output_format is Format.JSON else show_fields
    show(entry)


@app.command("list")
def list_(
    target: Annotated[
        str | None, typer.Argument(metavar="KIND", help="Only this kind.", autocompletion=kinds)
    ] = None,
    *,
    kind: Kind = None,
    filter_: Filter = "",
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """List config entries: KIND/NAME one a line, or just the names of one kind."""
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json
    from xdsmesh.config.kinds import KINDS

    kind = kind or target
    with Client(http_addr, token, ca_cert) as client:
        wanted = [kind] if kind else sorted(KINDS)
        entries = [entry for each in wanted for entry in client.entries(each, filter_)]
    if output_format is Format.JSON:
        show_json(entries)
        return
    for entry in entries:
        name = entry.get("Name", entry["Kind"])  # the only one of its kind may have none
        typer.echo(name if kind else f"{entry['Kind']}/{name}")


@app.command()
def delete(
    target: Target = None,
    *,
    kind: Kind = None,
    name: Name = None,
    cas: Cas = None,
    consul_cas: ConsulCas = False,
    modify_index: ModifyIndex = None,
    wait: Wait = False,
    wait_timeout: WaitTimeout = None,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Delete a config entry."""
    expected = _expected(cas, modify_index, consul_cas=consul_cas)
    if expected == 0:
        raise typer.BadParameter("what is deleted has a ModifyIndex above 0")
    entry_kind, entry_name = _identify(target, kind, name)
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.waiting import waiting

    awaited = waiting(wait=wait, wait_timeout=wait_timeout)
    title = f"{entry_kind}/{entry_name}"
    with Client(http_addr, token, ca_cert, awaited) as client:
        if not client.delete_entry(entry_kind, entry_name, expected):
            raise _changed_meanwhile(title, expected)
    typer.echo(f"Config entry deleted: {title}")
    if awaited:
        awaited.report()


def _expected(cas: int | None, modify_index: int | None, *, consul_cas: bool) -> int | None:
    """The ModifyIndex that the entry must have, from either way to give it; None: whichever."""
    if cas is not None and (consul_cas or modify_index is not None):
        raise typer.BadParameter("give --cas INDEX, or -cas and -modify-index INDEX, not both")
    if modify_index is not None and not consul_cas:
        raise typer.BadParameter("-modify-index goes with -cas")
    return (modify_index or 0) if consul_cas else cas


def _identify(target: list[str] | None, kind: str | None, name: str | None) -> tuple[str, str]:
    """The entry's kind and name, from any way to give them."""
    if target and (kind is not None or name is not None):
        raise typer.BadParameter("give the entry as KIND NAME or with --kind and --name, not both")
    words = "/".join(target).split("/") if target else [kind or "", name or ""]
    if len(words) != _KIND_AND_NAME or not all(words):
        raise typer.BadParameter("name the entry: KIND NAME, or --kind and --name")
    return words[0], words[1]


def _changed_meanwhile(title: str, expected: int | None) -> CommandError:
    return CommandError(
        f"{title} is not changed, since its ModifyIndex is not {expected}"
        f" (`xdsmesh config read {title}` shows what it is now)"
    )

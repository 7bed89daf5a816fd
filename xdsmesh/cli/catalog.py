"""``xdsmesh catalog``: the services, nodes and datacenters that the mesh knows."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from xdsmesh.cli.options import (
    DEFAULT_HTTP_ADDR,
    CaCert,
    Filter,
    Format,
    HttpAddr,
    NodeMeta,
    OutputFormat,
    Token,
    given,
    node_meta_query,
)

app = typer.Typer(help="See the services, nodes and datacenters that the mesh knows.", no_args_is_help=True)


@app.command()
def services(
    *,
    tags: Annotated[bool, typer.Option("--tags", help="Show the tags of each.")] = False,
    node: Annotated[str, typer.Option(metavar="NODE", help="Only those on it.", show_default=False)] = "",
    node_meta: NodeMeta = None,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """List the names of all services, sidecars included, wherever they are registered."""
    query = node_meta_query(node_meta)
    if node and query:
        raise typer.BadParameter("give --node or --node-meta, not both")
    from xdsmesh.cli.client import Client, segment
    from xdsmesh.cli.output import show_columns, show_json

    with Client(http_addr, token, ca_cert) as client:
        if node:
            path = f"/v1/catalog/node/{segment(node)}"
            found = _tags_by_name(client.call("GET", path, object))
        else:
            found = client.call("GET", "/v1/catalog/services", dict[str, list[str]], query=query)
    if output_format is Format.JSON:
        show_json(found)
    elif not found:
        typer.echo("No service is found: look with fewer flags, or see `xdsmesh catalog nodes`.", err=True)
    elif tags:
        show_columns((name, ",".join(sorted(found[name]))) for name in sorted(found))
    else:
        typer.echo("\n".join(sorted(found)))


@app.command()
def nodes(
    *,
    detailed: Annotated[
        bool, typer.Option("--detailed", help="Also their other addresses, and Meta.")
    ] = False,
    service: Annotated[
        str, typer.Option(metavar="SERVICE", help="Only those that have it.", show_default=False)
    ] = "",
    near: Annotated[str, typer.Option(metavar="NODE", help="This one first.", show_default=False)] = "",
    filter_: Filter = "",
    node_meta: NodeMeta = None,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """List the nodes: this server's own, and those that are registered with it."""
    query: dict[str, str | list[str]] = {**node_meta_query(node_meta), **given(near=near, filter=filter_)}
    from xdsmesh.cli.client import Client, segment
    from xdsmesh.cli.output import show_json, show_table

    path = f"/v1/catalog/service/{segment(service)}" if service else "/v1/catalog/nodes"
    with Client(http_addr, token, ca_cert) as client:
        found = client.call("GET", path, list[dict[str, Any]], query=query)
    if service:
        found = _nodes_of(found)
    if output_format is Format.JSON:
        show_json(found)
    elif not found:
        typer.echo("No node is found: look with fewer flags.", err=True)
    else:
        more = ("tagged addresses", "meta") if detailed else ()
        rows = (_node_row(each, detailed=detailed) for each in found)
        show_table(("node", "id", "address", "dc", *more), rows)


@app.command()
def datacenters(
    *,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """List the datacenters, one a line."""
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json

    with Client(http_addr, token, ca_cert) as client:
        found = client.call("GET", "/v1/catalog/datacenters", list[str])
    if output_format is Format.JSON:
        show_json(found)
    else:
        typer.echo("\n".join(found))


def _tags_by_name(node: Any) -> dict[str, list[str]]:
    """What ``/v1/catalog/services`` would say of the services on a node; None is a node that is not known."""
    found: dict[str, set[str]] = {}
    for each in node["Services"].values() if node else ():
        found.setdefault(each["Service"], set()).update(each["Tags"])
    return {name: sorted(tags) for name, tags in found.items()}


def _nodes_of(instances: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The nodes of instances, each once."""
    keys = ("ID", "Node", "Address", "Datacenter", "TaggedAddresses")
    by_name = {each["Node"]: each for each in reversed(instances)}
    return [
        {**{key: each[key] for key in keys}, "Meta": each["NodeMeta"]} for each in reversed(by_name.values())
    ]


def _node_row(node: Mapping[str, Any], *, detailed: bool) -> tuple[str, ...]:
    short = (node["Node"], node["ID"].partition("-")[0], node["Address"], node["Datacenter"])
    more = (_pairs(node["TaggedAddresses"]), _pairs(node["Meta"])) if detailed else ()
    return (*short, *more)


def _pairs(values: Mapping[str, str] | None) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted((values or {}).items()))

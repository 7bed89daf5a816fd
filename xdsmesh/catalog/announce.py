"""What the server says of itself in its catalog: its node, that it is alive, and the service that it is."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from xdsmesh.catalog import codec
from xdsmesh.catalog.draft import Draft
from xdsmesh.catalog.keys import NODES, check_key, instance_key, node_key, status_key
from xdsmesh.model.catalog import Instance, Node
from xdsmesh.model.checks import Check, CheckStatus, Health
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError
from xdsmesh.model.origin import PROBER, Origin, Source
from xdsmesh.store.base import Conflict, Store

ANNOUNCER: Final = Origin(Source.SERVER, "announcement")
ALIVE: Final = "serfHealth"
"""The check by which Consul's clients see that a node is there."""

SERVICE: Final = "consul"
_SERVICE_PORT: Final = 8300
"""The port of Consul's servers, as clients know it; nothing of ours listens there."""


async def announce(store: Store, node: Node, new_id: Callable[[], str]) -> None:
    """Write the server's own node with its check and service; a node that has an id already keeps it."""
    while True:
        draft = Draft(store, ANNOUNCER)
        await _write(draft, node, new_id)
        if not isinstance(await store.commit(draft.txn(), ANNOUNCER), Conflict):
            return


async def check_datacenter(store: Store, datacenter: str) -> None:
    """What a server has said of itself in this store, under whatever name, it has said in this datacenter.

    Raises:
        RefusedError: it was another one. Identities, and what other datacenters know, have its name in them.
    """
    _, records = await store.list(NODES)
    own = (codec.decode_node(each.value) for each in records if each.origin.source is Source.SERVER)
    for node in own:
        if node.datacenter != datacenter:
            what = f"the data folder is of the datacenter {node.datacenter}, and not of {datacenter}"
            remedy = f"start the server with --datacenter {node.datacenter}, or with a new --data-dir"
            raise RefusedError(Problem(Place(source="--datacenter"), what, remedy, code=Code.SETTING))


async def _write(draft: Draft, node: Node, new_id: Callable[[], str]) -> None:
    known = await draft.read(node_key(node.name))
    had = codec.decode_node(known.value).id if known else ""
    own = replace(node, id=had or new_id())
    await draft.put_for(ANNOUNCER, node_key(node.name), codec.encode_node(own))
    service = Instance(SERVICE, SERVICE, own, port=_SERVICE_PORT)
    await draft.put_for(ANNOUNCER, instance_key(node.name, SERVICE), codec.encode_instance(service))
    check = Check(
        ALIVE, "Serf Health Status", Health.PASSING, "", "Agent alive and reachable", node=node.name
    )
    await draft.put_for(ANNOUNCER, check_key(node.name, ALIVE), codec.encode_check(check))
    status = CheckStatus(check.status, check.output)
    await draft.put_for(PROBER, status_key(node.name, ALIVE), codec.encode_status(status))

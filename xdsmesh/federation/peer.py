"""Who is at the other end of a connection, by its certificate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from xdsmesh.model.trust import server_spiffe_id

_SPIFFE_ID: Final = "peer_spiffe_id"
"""Where gRPC has the SPIFFE id of a certificate, if it has exactly one."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody whom the mesh's roots vouch for. ``datacenter`` is empty for who holds a join token only."""

    spiffe_id: str
    datacenter: str = ""

    @property
    def join_token(self) -> str:
        """The id of the join token that it holds; empty: it holds none."""
        _, _, rest = self.spiffe_id.removeprefix("spiffe://").partition("/")
        return rest.removeprefix("agent/join/") if rest.startswith("agent/join/") else ""


def peer_of(auth_context: Mapping[str, Iterable[bytes]], trust_domain: str) -> Peer | None:
    """The peer of a connection, from gRPC's ``auth_context``; None: nobody of this mesh."""
    ids = [each.decode(errors="replace") for each in auth_context.get(_SPIFFE_ID, ())]
    if len(ids) != 1 or not ids[0].startswith(f"spiffe://{trust_domain}/"):
        return None
    datacenter = ids[0].rpartition("/")[2]
    is_server = ids[0] == server_spiffe_id(trust_domain, datacenter)
    return Peer(ids[0], datacenter if is_server else "")

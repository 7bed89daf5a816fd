"""Connections without TLS are only let in where the mesh allows anybody to begin with that."""

from collections.abc import Iterator

from xdsmesh.catalog.graph.change import Change, Fault
from xdsmesh.catalog.graph.entry_set import EntrySet
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds import mesh
from xdsmesh.config.kinds.proxy_defaults import ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.parts.modes import PERMISSIVE
from xdsmesh.model.codes import Code


def faults(change: Change) -> Iterator[Fault]:
    """The entries that become permissive; one that already is may be written again."""
    if _allowed(change.after):
        return
    for key in sorted(change.keys):
        if _is_permissive(change.after.read(*key)) and not _is_permissive(change.before.read(*key)):
            yield Fault(
                Code.PERMISSIVE_MTLS,
                key,
                ("permissive", key),
                f'{key[0]} "{key[1]}" sets MutualTLSMode to permissive, which the mesh does not allow',
                'write the entry Kind = "mesh" with AllowEnablingPermissiveMutualTLS = true first',
            )


def _allowed(entries: EntrySet) -> bool:
    entry = entries.read(mesh.Mesh.KIND, mesh.NAME)
    return isinstance(entry, mesh.Mesh) and entry.allow_enabling_permissive_mutual_tls


def _is_permissive(entry: Entry | None) -> bool:
    return isinstance(entry, ProxyDefaults | ServiceDefaults) and entry.mutual_tls_mode == PERMISSIVE

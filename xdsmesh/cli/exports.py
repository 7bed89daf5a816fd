"""What ``xdsmesh services export`` reads and edits: the one entry ``exported-services/default``."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from xdsmesh.cli.client import Client
from xdsmesh.cli.errors import CommandError, ServerRefusedError

_KIND: Final = "exported-services"
_NAME: Final = "default"
_NOT_FOUND: Final = "Config entry not found"

Service = Mapping[str, Any]
"""A service in the entry, as the API shows it."""


@dataclass(frozen=True, slots=True)
class Exported:
    """The entry, and the index under which it is replaced; 0 when there is none."""

    entry: Mapping[str, Any]
    index: int

    @property
    def services(self) -> list[dict[str, Any]]:
        """Its services, by name."""
        return sorted(self.entry.get("Services") or [], key=lambda each: str(each["Name"]))


def exported(client: Client) -> Exported:
    """The entry as it is now."""
    try:
        entry = client.entry(_KIND, _NAME)
    except ServerRefusedError as error:
        if str(error).startswith(_NOT_FOUND):
            return Exported({"Kind": _KIND, "Name": _NAME}, 0)
        raise
    return Exported(entry, entry["ModifyIndex"])


def peers_of(service: Service) -> list[str]:
    """The other meshes that may call a service, by name."""
    return sorted(each["Peer"] for each in service.get("Consumers") or [] if each.get("Peer"))


def export_to(client: Client, name: str, peers: Sequence[str]) -> tuple[str, ...]:
    """Add consumers to a service of the entry, and the service if it is new; what the server warns of.

    Raises:
        CommandError: somebody else changed the entry meanwhile.
    """
    now = exported(client)
    entry = {**now.entry, "Services": _with(now.services, name, peers)}
    written = client.write_entry(json.dumps(entry).encode(), now.index)
    if not written.done:
        raise CommandError(f"{_KIND}/{_NAME} was changed by somebody else meanwhile: run this again")
    return written.warnings


def _with(services: Iterable[Service], name: str, peers: Sequence[str]) -> list[Service]:
    by_name = {str(each["Name"]): each for each in services}
    service = by_name.get(name, {"Name": name})
    new = [{"Peer": peer} for peer in dict.fromkeys(peers) if peer not in peers_of(service)]
    by_name[name] = {**service, "Consumers": [*(service.get("Consumers") or []), *new]}
    return list(by_name.values())

"""How ``xdsmesh intention`` shows intentions."""

from collections.abc import Iterator, Mapping
from typing import Any

Intention = Mapping[str, Any]
"""An intention as the API shows it."""


def fields_of(found: Intention) -> Iterator[tuple[str, str]]:
    """What there is to say of an intention, but its permissions."""
    yield "Source", source_of(found)
    yield "Destination", found["DestinationName"]
    if action := found.get("Action"):
        yield "Action", action
    for key, label in (("ID", "ID"), ("Description", "Description")):
        if value := found.get(key):
            yield label, value
    for key, value in sorted(found.get("Meta", {}).items()):
        yield f"Meta[{key}]", value
    if created := found.get("CreatedAt"):
        yield "Created At", created


def line_of(intention: Intention) -> str:
    """In one line."""
    return f"{source_of(intention)} => {intention['DestinationName']} ({verdict_of(intention)})"


def source_of(intention: Intention) -> str:
    """The service that calls, with its peer."""
    peer = intention.get("SourcePeer")
    return f"peer:{peer}/{intention['SourceName']}" if peer else str(intention["SourceName"])


def verdict_of(intention: Intention) -> str:
    """The action, or how many permissions decide."""
    count = len(intention.get("Permissions", []))
    return str(intention.get("Action") or f"{count} permission{'s' if count != 1 else ''}")

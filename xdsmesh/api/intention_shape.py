"""The shape of a single intention in the HTTP API.

Source: https://developer.hashicorp.com/consul/api-docs/connect/intentions
"""

from msgspec import field

from xdsmesh.api.shapes import Shape
from xdsmesh.config.intention import DEFAULT
from xdsmesh.config.intentions import Intention
from xdsmesh.config.parts.jwt_requirement import JWTRequirement
from xdsmesh.config.parts.permission import Permission


class IntentionRow(Shape, frozen=True):
    """An intention. Only those of the older calls have an id and times."""

    source_ns: str = field(name="SourceNS")
    source_name: str
    destination_ns: str = field(name="DestinationNS")
    destination_name: str
    source_type: str
    precedence: int
    create_index: int
    modify_index: int
    id: str = ""
    description: str = ""
    source_peer: str = ""
    action: str = ""
    permissions: list[Permission] = field(default_factory=list)
    jwt: JWTRequirement | None = field(default=None, name="JWT")
    meta: dict[str, str] = field(default_factory=dict)
    created_at: str = ""
    updated_at: str = ""


def intention_row(intention: Intention) -> IntentionRow:
    """An intention as it is read back."""
    source = intention.source
    return IntentionRow(
        source_ns=DEFAULT,
        source_name=source.name,
        destination_ns=DEFAULT,
        destination_name=intention.destination,
        source_type=source.type,
        precedence=source.precedence,
        create_index=intention.created,
        modify_index=intention.modified,
        id=source.legacy_id,
        description=source.description,
        source_peer=source.peer,
        action=source.action,
        permissions=source.permissions,
        jwt=intention.jwt,
        meta=dict(intention.meta),
        created_at=source.legacy_create_time,
        updated_at=source.legacy_update_time,
    )

"""Keys that are no fields of a shape: what is said of them."""

from typing import Final

from msgspec import inspect

from xdsmesh.config import scalars, wording
from xdsmesh.config.entry import Shape
from xdsmesh.config.fields import by_key, squash, squashed
from xdsmesh.config.tree import Node, Scalar
from xdsmesh.model.codes import Code

_ENTERPRISE_ENDINGS: Final = ("namespace", "partition", "samenessgroup")
_TENANCY: Final = ("namespace", "partition")
_TENANT: Final = "default"


def asks_for_nothing(key: str, value: Node) -> bool:
    """Whether a squashed key has no value, or is the only namespace or partition, as clients may send it."""
    is_tenant = key.endswith(_TENANCY) and isinstance(value, Scalar) and value.value == _TENANT
    return is_tenant or scalars.asks_for_nothing(value)


def why_refused(shape: type[Shape], key: str) -> tuple[Code, str] | None:
    """Why a squashed key that we know can't be given, if that is so."""
    if key.endswith(_ENTERPRISE_ENDINGS) or key in squashed(shape.ENTERPRISE):
        return Code.ENTERPRISE, "is a feature of Consul Enterprise, which this is not"
    if key in squashed(shape.UNBUILT):
        return Code.NOT_BUILT, "is not built yet"
    reason = next((shape.REFUSED[name] for name in shape.REFUSED if squash(name) == key), "")
    return (Code.NOT_FOR_US, f"is refused: {reason}") if reason else None


def remedy(shape: type[Shape], key: str) -> str:
    """What to write instead of a key, as it was written, that nobody knows."""
    fields = by_key(shape)
    meant = wording.nearest(squash(key), fields)
    return f"did you mean {_spelled_like(key, fields[meant])}?" if meant else _choices(shape)


def _spelled_like(key: str, item: inspect.Field) -> str:
    """A field's name in the spelling that the writer of a key prefers."""
    return item.encode_name if key[:1].isupper() else item.name


def _choices(shape: type[Shape]) -> str:
    return f"the keys here are {', '.join(sorted(item.encode_name for item in by_key(shape).values()))}"

"""Messages and JSON without what nobody may read: private keys, above all."""

from typing import Any, Final

from google.protobuf import any_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from udpa.annotations import sensitive_pb2

REDACTED: Final = "[redacted]"
_PRIVATE_KEY: Final = "PRIVATE KEY-----"


def redact(message: Message) -> None:
    """Replace the content of all fields that Envoy's API marks as sensitive, also inside of an ``Any``.

    It is what Envoy does before it shows its configuration, so that both can be compared.
    """
    if isinstance(message, any_pb2.Any):
        inner = unpack(message)
        redact(inner)
        message.value = inner.SerializeToString(deterministic=True)
        return
    for field, value in message.ListFields():
        if field.GetOptions().Extensions[sensitive_pb2.sensitive]:
            _hide(message, field)
        elif field.message_type is not None:
            for each in _messages(field, value):
                redact(each)


def unpack(packed: any_pb2.Any) -> Message:
    """The message inside.

    Raises:
        KeyError: its type is not known here.
    """
    described = descriptor_pool.Default().FindMessageTypeByName(packed.TypeName())
    message: Message = message_factory.GetMessageClass(described)()
    packed.Unpack(message)
    return message


def without_keys(value: Any) -> Any:
    """JSON in which no text is a private key, wherever it may have come from."""
    match value:
        case dict():
            return {key: without_keys(each) for key, each in value.items()}
        case list():
            return [without_keys(each) for each in value]
        case str() if _PRIVATE_KEY in value:
            return REDACTED
    return value


def _hide(message: Message, field: FieldDescriptor) -> None:
    """Leave of a field which texts it has, and nothing of what they say."""
    value = getattr(message, field.name)
    if field.message_type is not None:
        for each in _messages(field, value):
            _hide_all(each)
        return
    hidden = {FieldDescriptor.TYPE_STRING: REDACTED, FieldDescriptor.TYPE_BYTES: REDACTED.encode()}
    if field.type not in hidden:
        message.ClearField(field.name)
    elif field.is_repeated:
        value[:] = [hidden[field.type]] * len(value)
    else:
        setattr(message, field.name, hidden[field.type])


def _hide_all(message: Message) -> None:
    for field, _ in message.ListFields():
        _hide(message, field)


def _messages(field: FieldDescriptor, value: Any) -> list[Message]:
    """The messages in a field: one, several, or the values of a map."""
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return [each for each in value.values() if isinstance(each, Message)]
    return list(value) if field.is_repeated else [value]

"""Back from bytes: a resource in protobuf's JSON form, as a person or an Envoy reads it."""

from typing import Any

from google.protobuf import any_pb2, json_format
from google.protobuf.message import Message

from xdsmesh.model.resource import EncodedResource
from xdsmesh.translate.redact import redact, unpack, without_keys


def decode(resource: EncodedResource) -> dict[str, Any]:
    """The JSON of a resource, under the names of its fields; what is secret is redacted."""
    return as_json(unpack(any_pb2.Any.FromString(resource.any)))


def as_json(message: Message) -> dict[str, Any]:
    """The JSON of a message, which is redacted in place."""
    redact(message)
    shown: dict[str, Any] = without_keys(json_format.MessageToDict(message, preserving_proto_field_name=True))
    return shown

"""Small messages that several resources are made of."""

from typing import Final

from envoy.config.core.v3 import address_pb2, config_source_pb2
from envoy.type.matcher.v3 import regex_pb2, string_pb2
from google.protobuf import any_pb2, duration_pb2, wrappers_pb2
from google.protobuf.message import Message

from xdsmesh.ir.comparison import Comparison
from xdsmesh.model.duration import Duration
from xdsmesh.model.resource import TYPE_PREFIX

ADS: Final = config_source_pb2.ConfigSource(
    ads=config_source_pb2.AggregatedConfigSource(), resource_api_version=config_source_pb2.ApiVersion.V3
)
"""Get the resource over the one stream that carries everything else. Copied by whatever it is put into."""

_NANOSECONDS: Final = 1_000_000_000


def make_any(message: Message) -> any_pb2.Any:
    """Wrap a message with its type. Equal messages give equal bytes."""
    return any_pb2.Any(
        type_url=TYPE_PREFIX + message.DESCRIPTOR.full_name,
        value=message.SerializeToString(deterministic=True),
    )


def make_duration(duration: Duration | None) -> duration_pb2.Duration | None:
    """A duration that is not negative; None leaves the field that takes it unset."""
    if duration is None:
        return None
    seconds, nanos = divmod(duration.nanoseconds, _NANOSECONDS)
    return duration_pb2.Duration(seconds=seconds, nanos=nanos)


def make_uint32(value: int | None) -> wrappers_pb2.UInt32Value | None:
    """A number in a message of its own, so that zero is told from nothing; None leaves the field unset."""
    return None if value is None else wrappers_pb2.UInt32Value(value=value)


def make_uint64(value: int | None) -> wrappers_pb2.UInt64Value | None:
    """The same with 64 bits."""
    return None if value is None else wrappers_pb2.UInt64Value(value=value)


def make_address(address: str, port: int) -> address_pb2.Address:
    """A TCP address."""
    return address_pb2.Address(socket_address=address_pb2.SocketAddress(address=address, port_value=port))


def make_regex(regex: str) -> regex_pb2.RegexMatcher:
    """An expression that must match the whole text."""
    return regex_pb2.RegexMatcher(regex=regex)


def make_string_matcher(
    comparison: Comparison, value: str, *, ignore_case: bool = False
) -> string_pb2.StringMatcher:
    """Compare a text; upper and lower case may be the same but for regular expressions.

    Raises:
        ValueError: presence is asked for, which is not a comparison of texts.
    """
    match comparison:
        case Comparison.EXACT:
            return string_pb2.StringMatcher(exact=value, ignore_case=ignore_case)
        case Comparison.PREFIX:
            return string_pb2.StringMatcher(prefix=value, ignore_case=ignore_case)
        case Comparison.SUFFIX:
            return string_pb2.StringMatcher(suffix=value, ignore_case=ignore_case)
        case Comparison.CONTAINS:
            return string_pb2.StringMatcher(contains=value, ignore_case=ignore_case)
        case Comparison.REGEX:
            return string_pb2.StringMatcher(safe_regex=make_regex(value))
        case Comparison.PRESENT:
            raise ValueError("presence is not a comparison of texts")

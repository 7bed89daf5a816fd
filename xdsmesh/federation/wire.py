"""The gRPC service between control planes: its name, and what both ends of a connection agree on.

Service: ``protos/xdsmesh/federation/v1/federation.proto``.
"""

from typing import Final

SERVICE: Final = "xdsmesh.federation.v1.Federation"
FORMAT: Final = 1
"""The version of the records' format."""

ALIVE_SECONDS: Final = 1.0
"""How often a datacenter that is followed says that it is there."""

SILENCE_SECONDS: Final = 6.0
"""After so long without a word a link is taken for cut."""

_MAX_MESSAGE_BYTES: Final = 32 * 1024 * 1024
_PING_MILLISECONDS: Final = 5_000

_BOTH: Final = (
    # A config entry may be larger than the default of 4 MiB.
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    # Find out when the other end has vanished without a word.
    ("grpc.keepalive_time_ms", _PING_MILLISECONDS),
    ("grpc.keepalive_timeout_ms", _PING_MILLISECONDS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
)

SERVER_OPTIONS: Final = (
    *_BOTH,
    # Two servers on one port would share its connections, and nobody would notice.
    ("grpc.so_reuseport", 0),
    # The pings of the other end are wanted.
    ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
    ("grpc.http2.max_ping_strikes", 0),
)

CHANNEL_OPTIONS: Final = (
    *_BOTH,
    # Whom to dial is decided here, not by the environment.
    ("grpc.enable_http_proxy", 0),
    # Channels to one address, as all are that go through one gateway, lead to different servers.
    ("grpc.use_local_subchannel_pool", 1),
)


def server_name(datacenter: str) -> str:
    """The name of the control plane of a datacenter: in its certificate, and the SNI that gateways route."""
    return f"server.{datacenter}.consul"

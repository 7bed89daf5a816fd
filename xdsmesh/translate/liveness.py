"""Ends of connections that vanish without a word between datacenters, and how soon that is noticed.

Two things are needed, and each alone leaves connections hanging: keepalive asks who says nothing, and the
user timeout gives up on what nobody acknowledges. The numbers are Linux's, as in ``<netinet/tcp.h>``.
"""

from typing import Final

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import address_pb2, protocol_pb2, socket_option_pb2
from google.protobuf import duration_pb2

from xdsmesh.translate.parts import make_uint32

_IDLE, _INTERVAL, _PROBES = 2, 1, 3  # seconds, seconds, how many
_UNACKNOWLEDGED_MS: Final = 5_000
_SOCKET, _TCP = 1, 6
_SO_KEEPALIVE, _TCP_KEEPIDLE, _TCP_KEEPINTVL, _TCP_KEEPCNT, _TCP_USER_TIMEOUT = 9, 4, 5, 6, 18


def _option(level: int, name: int, value: int) -> socket_option_pb2.SocketOption:
    return socket_option_pb2.SocketOption(level=level, name=name, int_value=value)


_USER_TIMEOUT: Final = _option(_TCP, _TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS)

KEEPALIVE: Final = cluster_pb2.UpstreamConnectionOptions(
    tcp_keepalive=address_pb2.TcpKeepalive(
        keepalive_time=make_uint32(_IDLE),
        keepalive_interval=make_uint32(_INTERVAL),
        keepalive_probes=make_uint32(_PROBES),
    )
)
"""Of a cluster's connections: a silent end is noticed within five seconds."""

BIND: Final = address_pb2.BindConfig(socket_options=[_USER_TIMEOUT])
"""Of a cluster's connections: so is one that no longer takes what is sent."""

ACCEPTED: Final = (
    _option(_SOCKET, _SO_KEEPALIVE, 1),
    _option(_TCP, _TCP_KEEPIDLE, _IDLE),
    _option(_TCP, _TCP_KEEPINTVL, _INTERVAL),
    _option(_TCP, _TCP_KEEPCNT, _PROBES),
    _USER_TIMEOUT,
)
"""Of a listener, whose connections inherit them."""

HTTP2_PINGS: Final = protocol_pb2.KeepaliveSettings(
    interval=duration_pb2.Duration(seconds=2), timeout=duration_pb2.Duration(seconds=2)
)
"""Of connections that carry many requests: these find a process that hangs, too."""

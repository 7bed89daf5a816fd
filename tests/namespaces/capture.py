"""What crosses a host: every frame on each of its interfaces."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from typing import TYPE_CHECKING, Final, Self

from tests.namespaces.tcp_streams import Frame, streams
from xdsmesh.demo.datacenters.client_hello import server_name

if TYPE_CHECKING:
    from tests.namespaces.namespaces import Namespace

_EVERY_PROTOCOL: Final = 0x0003
_SO_RCVBUFFORCE: Final = 33
_SOL_PACKET: Final = 263
_PACKET_STATISTICS: Final = 6
_BUFFER: Final = 64 * 1024 * 1024
_LONGEST_FRAME: Final = 128 * 1024
"""In bytes; the kernel cuts what TCP sends into packets only where hardware begins."""


class Capture:
    """A context: all frames that a namespace sends and receives while it lives; they can be read afterwards.

    The interfaces are ``lan``, ``outer`` and ``lo``. What a host sends to itself on ``lo`` is seen twice.
    """

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._frames: list[Frame] = []

    async def __aenter__(self) -> Self:
        self._socket = self._namespace.submit(_packet_socket).result()
        asyncio.get_running_loop().add_reader(self._socket, self._read)
        return self

    async def __aexit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        with self._socket:
            self._read()

    def frames(self, interface: str = "") -> list[Frame]:
        """All up to now, or those of an interface."""
        if self._socket.fileno() >= 0:
            self._read()
        return [frame for frame in self._frames if interface in ("", frame.interface)]

    def size(self, interface: str = "") -> int:
        """How many bytes: a capture in which something was not found should show that it saw something."""
        return sum(len(frame.data) for frame in self.frames(interface))

    def contains(self, marker: bytes, interface: str = "") -> bool:
        """Whether these bytes crossed, in one frame or spread over several of a TCP connection."""
        frames = self.frames(interface)
        return any(marker in frame.data for frame in frames) or any(
            marker in each for each in streams(frames)
        )

    def server_names(self, interface: str = "") -> Counter[str]:
        """The SNIs that TLS clients asked for, and in how many connections; empty: without SNI."""
        names = map(server_name, streams(self.frames(interface)))
        return Counter(name for name in names if name is not None)

    def _read(self) -> None:
        """Take what has come.

        Raises:
            AssertionError: the kernel has lost some: such a capture proves nothing.
        """
        try:
            while True:
                data, (interface, *_) = self._socket.recvfrom(_LONGEST_FRAME)
                self._frames.append(Frame(interface, data))
        except BlockingIOError:
            pass
        _, lost = struct.unpack("II", self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
        assert not lost, f"the capture has lost {lost} frames"


def _packet_socket() -> socket.socket:
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_EVERY_PROTOCOL))
    sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    sock.settimeout(0)
    return sock

"""The bytes of TCP connections, put together from captured Ethernet frames."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ETHERNET: Final = 14
_IPV4: Final = b"\x08\x00"
_TCP: Final = 6
_SYN: Final = 0x02


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as it crossed an interface."""

    interface: str
    data: bytes


@dataclass(frozen=True, slots=True)
class _Segment:
    flow: tuple[str, bytes]
    """The interface, and the addresses and ports of sender and receiver."""
    sequence: int
    begins: bool
    payload: bytes


def streams(frames: Iterable[Frame]) -> list[bytes]:
    """What was sent in each direction of each connection, on each interface; the first to begin is first."""
    found: list[list[_Segment]] = []
    current: dict[tuple[str, bytes], list[_Segment]] = {}
    for segment in filter(None, map(_segment, frames)):
        known = current.get(segment.flow)
        # Ports are used again; a SYN that is sent again begins nothing new.
        if known is None or (segment.begins and segment.sequence != known[0].sequence):
            current[segment.flow] = []
            found.append(current[segment.flow])
        current[segment.flow].append(segment)
    return [_joined(segments) for segments in found]


def _segment(frame: Frame) -> _Segment | None:
    packet = frame.data[_ETHERNET:]
    if frame.data[_ETHERNET - 2 : _ETHERNET] != _IPV4 or packet[9] != _TCP:
        return None
    header = (packet[0] & 0x0F) * 4
    tcp = packet[header : int.from_bytes(packet[2:4], "big")]
    sequence, _, offset, flags = struct.unpack_from("!IIBB", tcp, 4)
    begins = bool(flags & _SYN)
    return _Segment(
        flow=(frame.interface, packet[12:20] + tcp[:4]),
        sequence=sequence,
        begins=begins,
        payload=tcp[(offset >> 4) * 4 :],
    )


def _joined(segments: Sequence[_Segment]) -> bytes:
    """The payloads in order, each byte once, however often it was sent."""
    first = segments[0].sequence
    # A SYN counts as one byte. Numbers wrap around at 32 bits.
    placed = sorted(
        ((each.sequence + each.begins - first + 2**31) % 2**32 - 2**31, each.payload) for each in segments
    )
    joined, end = bytearray(), placed[0][0]
    for place, payload in placed:
        joined += payload[max(0, end - place) :]
        end = max(end, place + len(payload))
    return bytes(joined)

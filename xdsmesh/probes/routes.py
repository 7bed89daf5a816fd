"""What the kernel knows of the way to an address, asked as by ``ip route get fibmatch``; see rtnetlink(7)."""

import errno
import os
import socket
import struct
import sys
from ipaddress import IPv4Address, IPv6Address
from typing import Final

Address = IPv4Address | IPv6Address

# linux/netlink.h, linux/rtnetlink.h
_HEADER: Final = struct.Struct("=IHHII")
_ROUTE: Final = struct.Struct("=BBBBBBBBI")
_ATTRIBUTE: Final = struct.Struct("=HH")
_ERROR_NUMBER: Final = struct.Struct("=i")
_NLM_F_REQUEST: Final = 1
_NLMSG_ERROR: Final = 2
_RTM_GETROUTE: Final = 26
_RTM_F_FIB_MATCH: Final = 0x2000
_RTA_DST: Final = 1
_RTNH_F_DEAD: Final = 1
_RTNH_F_LINKDOWN: Final = 16
_LONGEST: Final = 8192

_NO_WAY: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})


def obstacle(address: Address) -> str:
    """Why no packet from here can get to an address, for a person; empty: one can, or nobody knows.

    There is no route to it, or the link that the route uses has no carrier. Nothing is sent. This machine's
    loopback is never far.
    """
    if address.is_loopback or address.is_unspecified or getattr(address, "scope_id", None):
        return ""
    try:
        return _judge(_ask_kernel(address))
    except OSError:  # no files left, or netlink is kept from this process
        return ""


def _ask_kernel(address: Address) -> bytes:
    if sys.platform != "linux":
        return b""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - IP's own number
    target = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(address.packed), _RTA_DST) + address.packed
    body = _ROUTE.pack(family, address.max_prefixlen, 0, 0, 0, 0, 0, 0, _RTM_F_FIB_MATCH) + target
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(0)  # its answer is there when ``send`` returns
        kernel.send(_HEADER.pack(_HEADER.size + len(body), _RTM_GETROUTE, _NLM_F_REQUEST, 0, 0) + body)
        return kernel.recv(_LONGEST)


def _judge(answer: bytes) -> str:
    if len(answer) < _HEADER.size + _ROUTE.size:
        return ""
    _, kind, *_ = _HEADER.unpack_from(answer)
    if kind == _NLMSG_ERROR:
        (number,) = _ERROR_NUMBER.unpack_from(answer, _HEADER.size)
        return os.strerror(-number) if -number in _NO_WAY else ""
    *_, flags = _ROUTE.unpack_from(answer, _HEADER.size)
    return "its link is down" if flags & (_RTNH_F_DEAD | _RTNH_F_LINKDOWN) else ""

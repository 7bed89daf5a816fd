"""What datacenters tell one another of places to dial, which must be some: Envoy takes no others. Pure."""

from typing import Final

import msgspec

from xdsmesh.catalog import codec
from xdsmesh.config import rules
from xdsmesh.model.address import ip_of
from xdsmesh.model.federation import RemoteGateways, RemoteService

_PORTS: Final = range(1, 65536)
_WEIGHTS: Final = range(1, 129)


def is_place(address: str, port: int) -> bool:
    """Whether it is an IP address or a host name, with a port."""
    is_ip = ip_of(address) is not None and "%" not in address
    return port in _PORTS and (is_ip or not any(rules.host_name("", address)))


def read_service(data: bytes) -> RemoteService:
    """What another datacenter tells of a service.

    Raises:
        msgspec.DecodeError: it can't be read, or an instance can't be dialled.
    """
    service = codec.decode_remote_service(data)
    for subset in service.subsets:
        for each in subset.instances:
            _check(each.address, each.port)
            if each.weight not in _WEIGHTS:
                raise msgspec.ValidationError(f"{each.weight} is no weight of an instance")
    return service


def read_gateways(data: bytes) -> RemoteGateways:
    """What another datacenter tells of its mesh gateways.

    Raises:
        msgspec.DecodeError: it can't be read, or a gateway can't be dialled.
    """
    gateways = codec.decode_remote_gateways(data)
    for each in gateways.gateways:
        _check(each.address, each.port)
    return gateways


def _check(address: str, port: int) -> None:
    if not is_place(address, port):
        raise msgspec.ValidationError(f"{address!r} with port {port} is no place to dial")

"""Envoy bootstraps, and running a local Envoy with one."""

from xdsmesh.bootstrap.address import HostPort
from xdsmesh.bootstrap.envoy import EnvoyNotFoundError, exec_envoy, find_envoy, hold_in_memory
from xdsmesh.bootstrap.make import make_bootstrap
from xdsmesh.bootstrap.tls import ServerTrust

__all__ = [
    "EnvoyNotFoundError",
    "HostPort",
    "ServerTrust",
    "exec_envoy",
    "find_envoy",
    "hold_in_memory",
    "make_bootstrap",
]

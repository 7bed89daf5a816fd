"""Envoy bootstraps, and running a local Envoy with one."""

from xdsmesh.bootstrap.address import HostPort
from xdsmesh.bootstrap.envoy import EnvoyNotFoundError, exec_envoy, find_envoy
from xdsmesh.bootstrap.make import make_bootstrap

__all__ = ["EnvoyNotFoundError", "HostPort", "exec_envoy", "find_envoy", "make_bootstrap"]

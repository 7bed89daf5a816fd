"""A mesh for services that a person names: the files of `xdsmesh init`, as texts by their paths. Pure."""

from xdsmesh.init.addresses import Addresses, read_subnet
from xdsmesh.init.compose import compose_files
from xdsmesh.init.flags import read_services
from xdsmesh.init.services import Service
from xdsmesh.init.systemd import systemd_files

__all__ = ["Addresses", "Service", "compose_files", "read_services", "read_subnet", "systemd_files"]

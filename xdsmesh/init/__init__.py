"""A mesh for services that a person names: the files of `xdsmesh init`, as texts by their paths. Pure."""

from xdsmesh.init.compose import compose_files
from xdsmesh.init.services import Service, read_services
from xdsmesh.init.systemd import systemd_files

__all__ = ["Service", "compose_files", "read_services", "systemd_files"]

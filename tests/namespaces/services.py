"""The services of a mesh of two datacenters, each on a host, and whom they call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_APP_PORT, _SIDECAR_PORT, _UPSTREAM_PORT = 8000, 21000, 9000
"""On a host those of the first service, on its loopback, on the LAN, and of its first upstream."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A service that another one calls; in its own datacenter unless one is named."""

    service: str
    protocol: str = "http"
    datacenter: str = ""
    mode: str = ""

    @property
    def label(self) -> str:
        """What a caller calls it."""
        return f"{self.service}@{self.datacenter}" if self.datacenter else self.service

    def definition(self, port: int) -> dict[str, Any]:
        """As people write it."""
        return {
            "DestinationName": self.service,
            "Datacenter": self.datacenter,
            "LocalBindPort": port,
            "MeshGateway": {"Mode": self.mode},
        }


@dataclass(frozen=True, slots=True)
class Service:
    """An instance on a host, with its sidecar. ``place`` tells those of a host apart."""

    datacenter: str
    host: str
    name: str
    protocol: str = "http"
    upstreams: Sequence[Upstream] = ()
    place: int = 0
    version: str = ""

    @property
    def id(self) -> str:
        """Its own name, also that of its check."""
        return f"{self.name}-{self.version}" if self.version else self.name

    def definition(self, address: str) -> dict[str, Any]:
        """As people write it, with a check that says what it is told."""
        ports = {each: _UPSTREAM_PORT + index for index, each in enumerate(self.upstreams)}
        return {
            "Name": self.name,
            "ID": self.id,
            "Meta": {"version": self.version} if self.version else {},
            "Address": address,
            "Port": _APP_PORT + self.place,
            "Check": {"CheckID": self.id, "Name": "told", "TTL": "24h", "Status": "passing"},
            "Connect": {
                "SidecarService": {
                    "Port": _SIDECAR_PORT + self.place,
                    "Proxy": {"Upstreams": [each.definition(port) for each, port in ports.items()]},
                }
            },
        }

    def calls(self) -> list[tuple[str, str, int]]:
        """What ``programs/caller.py`` is told."""
        return [
            (each.label, each.protocol, _UPSTREAM_PORT + index) for index, each in enumerate(self.upstreams)
        ]

    def app(self) -> tuple[str, str, int]:
        """What ``programs/app.py`` is told."""
        return f"{self.datacenter} {self.id}", self.protocol, _APP_PORT + self.place

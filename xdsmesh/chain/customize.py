"""What one caller wants otherwise, and whether that makes a difference."""

import hashlib
import json
from typing import Final

from xdsmesh.chain.types import HTTP_LIKE, Overrides
from xdsmesh.model.duration import Duration

_DIGITS: Final = 8


class Customization:
    """The overrides of one chain while it is compiled; it remembers which of them changed something."""

    def __init__(self, overrides: Overrides) -> None:
        self._overrides = overrides
        self._protocol = overrides.protocol.lower()
        self._effective: dict[str, str] = {}

    @property
    def hash(self) -> str:
        """8 hexadecimal digits by the overrides that changed something; empty if none did."""
        if not self._effective:
            return ""
        effective = json.dumps(self._effective, sort_keys=True)
        return hashlib.sha256(effective.encode()).hexdigest()[:_DIGITS]

    @property
    def is_l4(self) -> bool:
        """Whether the caller wants a protocol without requests: then routers and splitters don't count."""
        return bool(self._protocol) and self._protocol not in HTTP_LIKE

    def leave_out_advanced_routing(self) -> None:
        """Note that there was a router or splitter that does not count."""
        self._effective["protocol"] = self._protocol

    def protocol(self, computed: str) -> str:
        """The chain's protocol, given the one that entries give it."""
        if self._protocol in ("", computed):
            return computed
        self._effective["protocol"] = self._protocol
        return self._protocol

    def mesh_gateway(self, configured: str) -> str:
        """A target's mode, given the one that entries give it."""
        mode = self._overrides.mesh_gateway
        if mode in ("", configured):
            return configured
        self._effective["mesh_gateway"] = mode
        return mode

    def connect_timeout(self, configured: Duration) -> Duration:
        """A target's timeout, given the one that entries give it."""
        timeout = self._overrides.connect_timeout
        if timeout <= Duration() or timeout == configured:
            return configured
        self._effective["connect_timeout"] = str(timeout)
        return timeout

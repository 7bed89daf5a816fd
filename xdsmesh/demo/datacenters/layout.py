"""Who takes part in which datacenter, where their gateways are, and the edits of the intentions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xdsmesh.demo.layout import Instance, Mesh, rewrite

WEB: Final = Instance("web-1", "web", 10)
API: Final = Instance("api-1", "api", 20)
DB: Final = Instance("db-1", "db", 130)
LEDGER: Final = Instance("ledger-1", "ledger", 140, protocol="tcp")

DC1: Final = Mesh((WEB, API), "datacenters/mesh/dc1")
"""The primary: it has the config entries of both."""
DC2: Final = Mesh((DB, LEDGER), "datacenters/mesh/dc2", datacenter="dc2", server_host=101)

TAP_HOST: Final = 21
"""Where a spy listens beside api, before its Envoy."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A mesh gateway: the last numbers of its own address, and of the one that others are told.

    There the spy listens.
    """

    datacenter: str
    host: int
    wan_host: int

    @property
    def proxy(self) -> str:
        """The node id of its Envoy."""
        return f"gateway-{self.datacenter}"


GATEWAY_1: Final = Gateway("dc1", 5, 6)
GATEWAY_2: Final = Gateway("dc2", 105, 106)

PATH: Final = "/v1/balance/of-the-customer-4711"
"""What api asks db for, which says it again as it answers."""
WORDS: Final = b"pay 1000 to the customer 4711\n"
"""What it says to ledger."""
TEXTS: Final = (PATH.encode(), b'"instance": "db-1"', WORDS, b"ledger is ready")
"""What the applications say and answer, and the spy looks for."""

INTENTIONS: Final = "db-intentions.hcl"


def let_web_in(config: Path) -> float:
    """Allow web what it is denied at db; when it was done (``time.time``)."""
    return _replace(config / INTENTIONS, '"deny"', '"allow" # was denied')


def keep_web_out(config: Path) -> float:
    """Deny it again; when it was done (``time.time``)."""
    return _replace(config / INTENTIONS, '"allow" # was denied', '"deny"')


def _replace(file: Path, old: str, new: str) -> float:
    return rewrite(file, file.read_text("utf-8").replace(old, new))

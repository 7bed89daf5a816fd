"""Who takes part, and the edits of the intentions."""

from pathlib import Path
from typing import Final

from xdsmesh.demo.layout import Instance, Mesh, rewrite

WEB: Final = Instance("web-1", "web", 10)
API: Final = Instance("api-1", "api", 20)
DB: Final = Instance("db-1", "db", 30)
LEDGER: Final = Instance("ledger-1", "ledger", 40, protocol="tcp")
IMPOSTOR: Final = Instance("db-1", "db", 99)
"""Claims to be the proxy of db; it is elsewhere, and shows the token of web."""

IDENTITY_MESH: Final = Mesh((WEB, API, DB, LEDGER), "identity/mesh")

DATACENTER: Final = "dc1"
"""The server's, unless it is told another one."""

PATH: Final = "/v1/balance"
"""What api may ask db for."""
ADMIN_PATH: Final = "/v1/admin"
"""What it may not."""

INTENTIONS: Final = "db-intentions.hcl"
_ALLOW: Final = 'Action = "allow"'
_DENY: Final = 'Action = "deny"'


def tighten(config: Path) -> float:
    """Deny api what it is allowed at db; when it was done (``time.time``)."""
    return rewrite(config / INTENTIONS, (config / INTENTIONS).read_text("utf-8").replace(_ALLOW, _DENY))


def loosen(config: Path, text: str) -> float:
    """Write the intentions as they were; when it was done (``time.time``)."""
    return rewrite(config / INTENTIONS, text)

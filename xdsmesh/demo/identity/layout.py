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


DEFAULTS: Final = "db-defaults.hcl"
_SPEAKS_HTTP: Final = 'Protocol = "http"'
_SPEAKS_TCP: Final = 'Protocol = "tcp"'
_WITHOUT_REQUESTS: Final = """Kind = "service-intentions"
Name = "db"
Sources = [
  { Name = "api", Action = "allow" },
  { Name = "web", Action = "deny" },
]
"""


def judge_connections(config: Path) -> float:
    """Let api connect to db whatever it asks, and web not; when it was done (``time.time``)."""
    return rewrite(config / INTENTIONS, _WITHOUT_REQUESTS)


def speak_tcp(config: Path) -> float:
    """Let db's Envoys forward bytes; when it was done (``time.time``)."""
    return rewrite(
        config / DEFAULTS, (config / DEFAULTS).read_text("utf-8").replace(_SPEAKS_HTTP, _SPEAKS_TCP)
    )


def speak_http(config: Path) -> float:
    """Let them know requests again; when it was done (``time.time``)."""
    return rewrite(
        config / DEFAULTS, (config / DEFAULTS).read_text("utf-8").replace(_SPEAKS_TCP, _SPEAKS_HTTP)
    )


def tighten(config: Path) -> float:
    """Deny api what it is allowed at db; when it was done (``time.time``)."""
    return rewrite(config / INTENTIONS, (config / INTENTIONS).read_text("utf-8").replace(_ALLOW, _DENY))


def loosen(config: Path, text: str) -> float:
    """Write the intentions as they were; when it was done (``time.time``)."""
    return rewrite(config / INTENTIONS, text)

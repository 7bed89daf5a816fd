"""What is told of health checks, in words and colours."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.text import Text

from xdsmesh.cli.output import Cell

Check = Mapping[str, Any]
"""A check as the API shows it."""

_STYLES: Final = {
    "passing": "green",
    "warning": "yellow",
    "critical": "bold red",
    "maintenance": "bold yellow",
}
_WORST_FIRST: Final = ("maintenance", "critical", "warning", "passing")
_SHORT: Final = 60

HEADINGS: Final = ("check", "service", "status", "output")


def is_maintenance(check: Check) -> bool:
    """Whether a check stands for maintenance, of an instance or of the node."""
    return str(check["CheckID"]).startswith(("_service_maintenance:", "_node_maintenance"))


def row(check: Check) -> tuple[Cell, ...]:
    """A check in the list of all; of maintenance, its reason."""
    said = check["Notes"] if is_maintenance(check) else check["Output"]
    return (check["CheckID"], check["ServiceID"], status_text(check["Status"]), _short(said))


def status_text(status: str) -> Text:
    """A status, in its colour."""
    return Text(status, style=_STYLES.get(status, ""))


def health_of(service_id: str, checks: Iterable[Check]) -> str:
    """The worst that the checks of an instance and of its node say; without one it passes."""
    decide = [check for check in checks if check["ServiceID"] in ("", service_id)]
    said = {"maintenance" if is_maintenance(check) else check["Status"] for check in decide}
    return next((status for status in _WORST_FIRST if status in said), "passing")


def _short(output: str) -> str:
    """The beginning of the first line."""
    lines = output.strip().splitlines()
    if not lines:
        return ""
    cut = len(lines) > 1 or len(lines[0]) > _SHORT
    return f"{lines[0][:_SHORT]}{' ...' if cut else ''}"

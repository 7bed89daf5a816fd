"""What checks and the log say while this machine has no way to the targets."""

from typing import Final

import structlog

from xdsmesh.model.checks import CheckStatus

_NOT_PROBED: Final = "not probed: "
_LAST_KNOWN: Final = "; last known: "

_log = structlog.get_logger()


class Cut:
    """The checks whose targets this machine has no way to; the log has the first and the last, not each.

    One that never had a way, such as to an address of IPv6 where there is none, makes no cut.
    """

    def __init__(self) -> None:
        self._lost: dict[str, bool] = {}  # by check id: whether there has been a way
        self._told = False

    def __len__(self) -> int:
        return len(self._lost)

    def lose(self, check_id: str, why: str, *, known: bool) -> None:
        """There is no way for a check; ``known``: there has been one."""
        self._lost[check_id] = known
        if known and not self._told:
            self._told = True
            _log.warning(
                "this machine seems to be cut off: health checks that it can't make keep their statuses",
                check=check_id,
                why=why,
            )

    def regain(self, check_id: str) -> None:
        """A check was probed, or there is none any more."""
        self._lost.pop(check_id, None)
        if self._told and not any(self._lost.values()):
            self._told = False
            _log.info("this machine is cut off no more: its health checks count again")


def not_probed(last: CheckStatus, why: str) -> CheckStatus:
    """The status of a check that keeps it; what it said when it was last probed stays readable."""
    known = last.output
    if known.startswith(_NOT_PROBED):
        known = known.partition(_LAST_KNOWN)[2]
    return CheckStatus(last.status, f"{_NOT_PROBED}{why}{_LAST_KNOWN if known else ''}{known}")

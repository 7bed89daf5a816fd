"""How the link to another datacenter stands."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class LinkState(StrEnum):
    """Whether another datacenter is heard."""

    UP = "up"
    CONNECTING = "connecting"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """A link as it is now. Revisions are those of the other datacenter's store."""

    datacenter: str
    state: LinkState
    since: datetime
    """When it came to its state."""
    via: str = ""
    """The address that was dialled last, as host:port; empty: none is known."""
    heard_at: datetime | None = None
    """When the last message came, of whatever kind; also one from before a restart."""
    revision: int = 0
    """Up to here everything is known."""
    remote_revision: int = 0
    """The latest that was heard of."""
    behind_since: datetime | None = None
    """Since when something is missing; None: nothing is, as far as was heard."""
    error: str = ""
    """Why the last attempt failed; empty while the link is up."""
    declined: bool = False
    """It was reached then, and would not."""
    attempts: int = 0
    """How often it was dialled since it was last up."""

    def lag(self, now: datetime) -> timedelta:
        """For how long what is known may be out of date: since something is missing, or nothing was heard.

        Zero while the link is up and nothing is missing; also when nothing was ever heard.
        """
        since = [self.behind_since] if self.behind_since else []
        if self.state is not LinkState.UP and self.heard_at:
            since.append(self.heard_at)
        return max(now - min(since), timedelta()) if since else timedelta()

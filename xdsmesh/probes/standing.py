"""What a check said last, beside what the store holds of it."""

from enum import Enum, auto

from xdsmesh.model.checks import CheckStatus


class Urgency(Enum):
    """When something has to be written."""

    NOT = auto()
    LATER = auto()
    NOW = auto()


class Standing:
    """Decides what is written. ``heard`` is the latest word that the store doesn't have yet, or None.

    A report counts as stored once it is sent, until a fact about the check comes: facts are the truth, and
    at worst a report is repeated.
    """

    __slots__ = ("_sent", "heard", "stored")

    def __init__(self, stored: CheckStatus) -> None:
        self.stored = stored
        self.heard: CheckStatus | None = None
        self._sent: CheckStatus | None = None

    @property
    def latest(self) -> CheckStatus:
        """What was said last, stored or not."""
        return self.heard or self.stored

    def store(self, status: CheckStatus) -> None:
        """Take in what the store holds now. What somebody else wrote is newer than what was heard."""
        if status == self.heard or status not in (self.stored, self._sent):
            self.heard = None
        self.stored = status
        self._sent = None

    def hear(self, status: CheckStatus) -> Urgency:
        """Take in a new word; says when it has to be written: output alone can wait."""
        believed = self._sent or self.stored
        self.heard = None if status == self.stored and self._sent is None else status
        if status == believed:
            return Urgency.NOT
        return Urgency.LATER if status.status is believed.status else Urgency.NOW

    def send(self) -> CheckStatus | None:
        """What is to be written now, taken as written from here on; None: nothing."""
        if self.heard is None or self.heard == self._sent:
            return None
        self._sent = self.heard
        return self.heard

    def fail(self) -> None:
        """What was sent could not be written."""
        self._sent = None

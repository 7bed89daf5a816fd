"""Who opens a stream: the seam between streams and whatever knows the tokens."""

from collections.abc import Callable
from typing import Protocol

from xdsmesh.model.identity import Identity


class Admission(Protocol):
    """One stream that was let in."""

    @property
    def identity(self) -> Identity | None:
        """Who it has proven to be; None: nobody has to prove anything yet."""

    def close(self) -> None:
        """The stream has ended."""


class Authenticator(Protocol):
    """Knows what the secrets are worth that streams show."""

    def admit(self, secret: str, revoke: Callable[[], None]) -> Admission | None:
        """Let a stream in that shows a secret, empty if none; None: it must not be served.

        ``revoke`` is called on the event loop's thread when the secret is no longer valid.
        """

"""What has the keys of roots: the built-in provider, or a service outside.

Nobody but a provider ever touches the key of a root. A provider has several roots at a time, so that one
can follow another: which of them is active is the mesh's matter, and each call says which root it means.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from xdsmesh.ca.primary import AskPrimary
from xdsmesh.ca.sealing import Sealer
from xdsmesh.store.base import Store


@dataclass(frozen=True, slots=True)
class Around:
    """What a provider is made with, whichever it is. The clock tells the time with its time zone.

    ``ask_primary`` leads to the primary datacenter, from a secondary.
    """

    store: Store
    sealer: Sealer
    trust_domain: str
    clock: Callable[[], datetime]
    ask_primary: AskPrimary


class Provider(Protocol):
    """Makes roots, and signs with them. Certificates and requests are PEM, one each, ending in a newline.

    A call may come again with the same arguments after a crash.
    """

    async def root(self) -> str:
        """The root to begin with: the one that there is, or a new one.

        Raises:
            RefusedError: none can be had; with what to do.
        """

    async def generate_root(self) -> str:
        """A new root beside those that there are, with a key of its own.

        Raises:
            RefusedError: none can be made.
        """

    async def sign_intermediate(self, root_pem: str, request_pem: str, lifetime: timedelta) -> str:
        """Let a root certify a server's intermediate, as one that signs leaves only.

        The certificate begins a minute ago and ends after ``lifetime``, or with the root.

        Raises:
            RefusedError: the provider does not have this root's key, can't be reached, or does not want to.
        """

    async def cross_sign(self, root_pem: str, other_pem: str) -> str:
        """Let a root vouch for the key of another one, for the days of a rotation.

        Raises:
            RefusedError: the provider does not have this root's key, can't be reached, or does not want to.
        """

    async def forget(self, root_pem: str) -> None:
        """Destroy the key of a root that has retired; nothing happens if it is not there."""

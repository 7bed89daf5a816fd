"""Where the server's views come from: the seam between streams and whatever makes the views."""

from collections.abc import Callable
from typing import Protocol

from xdsmesh.model.identity import Identity
from xdsmesh.model.resource import ProxyView


class Attachment(Protocol):
    """One stream's hold on a proxy."""

    @property
    def service(self) -> str:
        """The service that the proxy stands before; the name of a gateway."""

    @property
    def view(self) -> ProxyView | None:
        """The latest view; None once the proxy may not be served any more, as after deregistration."""

    @property
    def revision(self) -> int:
        """The revision of the facts that the view is made from."""

    def close(self) -> None:
        """Let go."""


class ViewSource(Protocol):
    """Makes views, and tells of new ones."""

    @property
    def ready(self) -> bool:
        """Views are complete: everything that was stored has been read."""

    async def applied(self) -> None:
        """Return once all that is known by now is in the views."""

    def identity(self, proxy_id: str) -> Identity | None:
        """Who a proxy must prove to be; None if no such proxy is registered."""

    def attach(self, proxy_id: str, wake: Callable[[], None]) -> Attachment | None:
        """Hold a proxy's view; None if no such proxy is registered, or it is of a kind that has none.

        ``wake`` is called on the event loop's thread whenever ``view`` has changed.
        """

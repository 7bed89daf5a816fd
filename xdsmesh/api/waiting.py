"""Requests that wait, without a task or a poll for each."""

import asyncio

from xdsmesh.api.request import AnyRequest


class Waiting:
    """A set of requests that wait for the same."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Timeout] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait(self, request: AnyRequest, seconds: float) -> bool:
        """Return when somebody wakes all, the time is over, or the caller has gone: then False.

        The task of the request sits in ``receive``, which ends when the caller goes; to wake it is to say
        that its time is over.
        """
        try:
            async with asyncio.timeout(seconds) as patience:
                self._waiting.add(patience)
                while (await request.receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return True
        else:
            return False
        finally:
            self._waiting.discard(patience)

    def wake(self) -> None:
        """End the wait of all."""
        waiting, self._waiting = self._waiting, set()
        now = asyncio.get_running_loop().time()
        for patience in waiting:
            if not patience.expired():
                patience.reschedule(now)

"""What a request says about waiting: ``?index``, ``?hash`` and ``?wait``.

Source: https://developer.hashicorp.com/consul/api-docs/features/blocking
"""

import random
from dataclasses import dataclass
from typing import Final, Self

from litestar.exceptions import ClientException

from xdsmesh.api.request import AnyRequest, unsigned
from xdsmesh.model.duration import Duration

_DEFAULT: Final = Duration.of(seconds=300)
_LONGEST: Final = Duration.of(seconds=600)
_JITTER: Final = 16
"""Up to a 16th of the wait is added, so that those who came together do not come again together."""


@dataclass(frozen=True, slots=True)
class Blocking:
    """What the caller has already, and how many seconds it wants to wait for something else.

    ``index`` and ``hash`` are those of the answer that it has; 0, and empty: it has none, and waits for
    nothing.
    """

    index: int
    hash: str
    seconds: float

    @classmethod
    def of(cls, request: AnyRequest) -> Self:
        """Read them from a query string.

        Raises:
            ClientException: an index that is no number, or a wait that is no duration.
        """
        index = unsigned(request, "index") or 0
        return cls(index, request.query_params.get("hash") or "", _seconds(request))


def _seconds(request: AnyRequest) -> float:
    text = request.query_params.get("wait") or "0s"
    try:
        wait = Duration.parse(text)
    except ValueError as error:
        raise ClientException(f"Invalid wait time: {error}") from error
    if wait < Duration():
        raise ClientException(f"Invalid wait time: {text!r} is less than nothing")
    seconds = min(wait or _DEFAULT, _LONGEST).seconds
    return seconds + random.uniform(0, seconds / _JITTER)  # noqa: S311 - it spreads load, and hides nothing

"""Reads that can wait: each is answered at once, or when what it reads has changed.

Whoever asks the same thing shares one query: it is read once for all of them, however many wait. A
waiting request holds its connection and its place in a set; there is no task and no poll for it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from typing import Final

from xdsmesh.api.blocking import Blocking
from xdsmesh.api.changes import Changes, Topic
from xdsmesh.api.reply import Answer, Sent, index_headers
from xdsmesh.api.request import AnyRequest, is_pretty, path_of
from xdsmesh.api.waiting import Waiting
from xdsmesh.catalog.feed import Feed
from xdsmesh.model.facts import Batch

_NOT_CONTENT: Final = frozenset({"index", "wait", "hash", "token", "stale", "consistent", "cached"})
"""Parameters that don't decide what is answered."""

_LATE: Final = 0.05
"""Seconds: what is due is looked for a little later, never before."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a read came to, and the topics that it depends on.

    ``missing``: there is nothing, and this is what to say about it. ``hash``: callers wait for another hash
    than this one, not for a higher index.
    """

    content: object
    topics: frozenset[Topic]
    missing: str = ""
    hash: str = ""


Read = Callable[[], Seen]
"""Reads the view, in one step: what it comes to is as of one revision."""


class Query:
    """Something that is being asked, by as many as ask it now; and the latest answer."""

    def __init__(self, feed: Feed, changes: Changes, read: Read, *, pretty: bool) -> None:
        self.users = 0
        self.index = 0
        self.hash = ""
        self.topics: frozenset[Topic] = frozenset()
        self.enrolled: frozenset[Topic] = frozenset()
        self._feed = feed
        self._changes = changes
        self._read = read
        self._pretty = pretty
        self._as_of = -1
        self._outcome: Answer | Exception | None = None
        self.waiting: Final = Waiting()

    @property
    def answer(self) -> Answer:
        """What was read last.

        Raises:
            Exception: what the read has raised.
        """
        if isinstance(self._outcome, Answer):
            return self._outcome
        raise self._outcome or RuntimeError("the query was not read")

    @property
    def is_stale(self) -> bool:
        """Whether something that was read has changed since."""
        return self._changes.index(self.topics) > self._as_of

    def refresh(self) -> None:
        """Read again if anything has changed. If the answer has, wake those who wait, and only then."""
        if isinstance(self._outcome, Answer) and not self.is_stale:
            return
        self._as_of = self._feed.revision
        outcome = self._look()
        if outcome != self._outcome:
            self._outcome = outcome
            self.index = max(1, self._changes.index(self.topics))
            self.waiting.wake()

    def _look(self) -> Answer | Exception:
        try:
            seen = self._read()
        except Exception as error:  # noqa: BLE001 - everybody who asks is told, not just the one who read
            return error
        self.topics, self.hash = seen.topics, seen.hash
        return Answer.of(seen.content, seen.missing, pretty=self._pretty)

    def is_known(self, blocking: Blocking) -> bool:
        """Whether the caller has this answer already; an error is always news."""
        if not isinstance(self._outcome, Answer):
            return False
        return self.hash == blocking.hash if self.hash else self.index <= blocking.index

    def headers(self, request: AnyRequest) -> dict[str, str]:
        """What comes with the answer, so that a caller can wait for the next one."""
        return {"X-Consul-ContentHash": self.hash} if self.hash else index_headers(request, self.index)


class Queries:
    """All that is being asked. ``run`` must run while anything is asked; ``close`` answers everybody.

    The ``feed`` must run too; ``view`` is what it has brought.
    """

    def __init__(self, feed: Feed) -> None:
        self.feed: Final = feed
        self.view: Final = feed.view
        self._changes = Changes()
        feed.listen(self._take)
        self._queries: dict[Hashable, Query] = {}
        self._by_topic: defaultdict[Topic, set[Query]] = defaultdict(set)
        self._stale: set[Query] = set()
        self._news = asyncio.Event()
        self._held = Waiting()
        self._closed = False

    async def run(self) -> None:
        """Read again what somebody waits for and has changed; until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            stale, self._stale = self._stale, set()
            for query in stale:
                self._refresh(query)
                await asyncio.sleep(0)  # others have work too

    def close(self) -> None:
        """Let nobody wait any more: the server stops."""
        self._closed = True
        for query in self._queries.values():
            query.waiting.wake()
        self._held.wake()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return sum(len(query.waiting) for query in self._queries.values()) + len(self._held)

    async def answer(self, request: AnyRequest, read: Read, variant: Hashable = None) -> Sent:
        """Answer a request, perhaps after a while.

        Args:
            request: With ``variant``, its path and parameters must decide what ``read`` comes to.
            read: Reads it. What it raises is raised to all who ask the same.
            variant: What else decides, such as a body.

        Raises:
            ClientException: the parameters are wrong.
        """
        blocking = Blocking.of(request)
        key = (path_of(request), _content_parameters(request), variant)
        query = self._queries.setdefault(
            key, Query(self.feed, self._changes, read, pretty=is_pretty(request))
        )
        query.users += 1
        try:
            await self.feed.catch_up()
            self._refresh(query)
            if query.is_known(blocking) and not self._closed:
                await query.waiting.wait(request, blocking.seconds)
            return Sent(query.answer, request, query.headers(request))
        finally:
            query.users -= 1
            if not query.users:
                del self._queries[key]
                self._enroll(query, frozenset())

    async def hold(self, request: AnyRequest, good_for: Callable[[], float]) -> None:
        """Hold a request for what is not in the view, until its time is over or the server stops.

        ``good_for`` tells for how many seconds what the caller has is the latest; 0 ends the wait. It is
        asked at first, when they have passed, and whenever `look_again` is called.
        """
        clock = asyncio.get_running_loop().time
        end = clock() + Blocking.of(request).seconds
        while not self._closed and (good := good_for()) and (left := end - clock()) > 0:
            if not await self._held.wait(request, min(left, good + _LATE)):
                return  # the caller has gone

    def look_again(self) -> None:
        """Something has changed that is not in the view."""
        self._held.wake()

    def _take(self, batch: Batch) -> None:
        self._changed(self._changes.take(batch))

    def _changed(self, topics: Collection[Topic]) -> None:
        for topic in topics:
            self._stale |= self._by_topic.get(topic, set())
        self._news.set()

    def _refresh(self, query: Query) -> None:
        query.refresh()
        if query.users:
            self._enroll(query, query.topics)

    def _enroll(self, query: Query, topics: frozenset[Topic]) -> None:
        """Remember by which topics a query is to be found."""
        for topic in query.enrolled - topics:
            self._by_topic[topic].discard(query)
            if not self._by_topic[topic]:
                del self._by_topic[topic]
        for topic in topics - query.enrolled:
            self._by_topic[topic].add(query)
        query.enrolled = topics
        if topics and query.is_stale:
            self._changed(topics)  # it has changed before we could be told


def _content_parameters(request: AnyRequest) -> tuple[tuple[str, str], ...]:
    given = request.query_params.multi_items()
    return tuple(sorted((name, value) for name, value in given if name not in _NOT_CONTENT))

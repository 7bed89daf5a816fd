"""Records of streams, cheap to keep on the hot path; made into values only when somebody looks."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from xdsmesh.model.resource import SHORT_NAMES, TYPES, Resources
from xdsmesh.status.text import printable
from xdsmesh.status.types import ProxyStatus, Refused, Rejection, Snapshot, State, TypeStatus

_MAX_REFUSED: Final = 100
_MAX_ID: Final = 256
_MAX_NAMES: Final = 100
_RANK: Final = {type_url: rank for rank, type_url in enumerate(TYPES)}


class Progress(Protocol):
    """How far the proxy of a stream has come."""

    def revision(self) -> int:
        """The highest revision of the facts of which it has acknowledged all; -1 if none."""

    def settled(self) -> bool:
        """Nothing is left to send, and no answer to come: what it has not acknowledged, it has rejected."""

    def states(self, type_url: str, resources: Resources) -> Mapping[str, State]:
        """How it stands with each of these resources, by name."""

    def wants(self, type_url: str, name: str) -> bool:
        """Whether it has asked for a resource."""


@dataclass(slots=True)
class _TypeRecord:
    """One type on one stream."""

    unchanged: bool = False
    in_doubt: bool = False
    version: str = ""
    nonce: str = ""
    answered: str = ""
    sent_at: datetime | None = None
    acked_at: datetime | None = None
    error: str = ""
    rejected: tuple[str, ...] = ()
    responses: int = 0
    resources: int = 0
    nacks: int = 0
    last_error: Rejection | None = None

    @property
    def state(self) -> State:
        if self.in_doubt:
            return State.ERROR
        if self.nonce != self.answered:
            return State.STALE
        return State.SYNCED if self.nonce or self.unchanged else State.NOT_SENT

    def status(self, type_url: str) -> TypeStatus:
        return TypeStatus(
            type=SHORT_NAMES.get(type_url) or printable(type_url, _MAX_ID),
            state=self.state,
            version=self.version,
            nonce=self.nonce,
            sent_at=self.sent_at,
            acked_at=self.acked_at,
            error=self.error,
            rejected=self.rejected,
            responses=self.responses,
            resources=self.resources,
            nacks=self.nacks,
            last_error=self.last_error,
        )


@dataclass(slots=True, eq=False)
class StreamRecord:
    """One connected stream. Who watches it is called when its proxy may have come further, or has left."""

    proxy: str
    service: str
    envoy_version: str
    address: str
    variant: str
    connected_at: datetime
    progress: Progress
    connected: bool = True
    _types: dict[str, _TypeRecord] = field(default_factory=dict)
    _watchers: dict[Callable[["StreamRecord"], None], None] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The address without the port."""
        return self.address.rpartition(":")[0] or self.address

    def watch(self, watcher: Callable[["StreamRecord"], None]) -> None:
        """Call this from now on."""
        self._watchers[watcher] = None

    def unwatch(self, watcher: Callable[["StreamRecord"], None]) -> None:
        """Call this no more; safe to call twice."""
        self._watchers.pop(watcher, None)

    def moved(self) -> None:
        """Something was taken from the proxy or sent to it. Nearly always nobody watches."""
        for watcher in tuple(self._watchers):  # they may leave
            watcher(self)

    def requested(self, type_url: str) -> None:
        """The proxy asked for a type."""
        if type_url not in self._types:
            self._types[type_url] = _TypeRecord()

    def unchanged(self, type_url: str) -> None:
        """The proxy holds already what it asked for."""
        self._types[type_url].unchanged = True

    def sent(self, type_url: str, version: str, nonce: str, resources: int, now: datetime) -> None:
        """A response with so many resources is on its way."""
        record = self._types[type_url]
        record.version = version
        record.nonce = nonce
        record.sent_at = now
        record.responses += 1
        record.resources += resources

    def acked(self, type_url: str, nonce: str, now: datetime, *, in_doubt: bool) -> None:
        """A response was acknowledged; ``in_doubt`` says that something rejected earlier still is."""
        record = self._types[type_url]
        record.answered = nonce
        record.acked_at = now
        record.in_doubt = in_doubt
        if not in_doubt and record.error:
            record.error, record.rejected = "", ()

    def rejected(self, type_url: str, nonce: str, error: str, names: Sequence[str], now: datetime) -> None:
        """A response with these resources was rejected, with the proxy's reason."""
        record = self._types[type_url]
        record.answered = nonce
        record.in_doubt = True
        record.error = printable(error)
        record.rejected = tuple(names[:_MAX_NAMES])
        record.nacks += 1
        record.last_error = Rejection(record.error, record.rejected, now)

    def status(self) -> ProxyStatus:
        """The record as a value."""
        ordered = sorted(self._types, key=lambda type_url: (_RANK.get(type_url, len(_RANK)), type_url))
        return ProxyStatus(
            proxy=self.proxy,
            service=self.service,
            envoy_version=self.envoy_version,
            address=self.address,
            variant=self.variant,
            connected_at=self.connected_at,
            revision=self.progress.revision(),
            types=tuple(self._types[type_url].status(type_url) for type_url in ordered),
        )


class Registry:
    """All streams that are connected, and the last askers who were refused."""

    def __init__(self) -> None:
        self._streams: dict[StreamRecord, None] = {}
        self._refused: dict[tuple[str, str], Refused] = {}
        self._watchers: dict[Callable[[StreamRecord], None], None] = {}
        self._listeners: list[Callable[[StreamRecord], None]] = []

    def listen(self, listener: Callable[[StreamRecord], None]) -> None:
        """Call this whenever a stream has ended."""
        self._listeners.append(listener)

    def watch(self, watcher: Callable[[StreamRecord], None]) -> None:
        """Watch every stream that is connected, or will be; see `StreamRecord`."""
        self._watchers[watcher] = None
        for record in self._streams:
            record.watch(watcher)

    def unwatch(self, watcher: Callable[[StreamRecord], None]) -> None:
        """Watch none any more; safe to call twice."""
        self._watchers.pop(watcher, None)
        for record in self._streams:
            record.unwatch(watcher)

    def connect(self, record: StreamRecord) -> None:
        """Show a stream from now on, and no longer that its proxy was refused before."""
        self._streams[record] = None
        for watcher in self._watchers:
            record.watch(watcher)
        self._refused.pop((record.proxy, record.host), None)

    def disconnect(self, record: StreamRecord) -> None:
        """Show a stream no longer; safe to call twice."""
        self._streams.pop(record, None)
        record.connected = False
        for listener in self._listeners:
            listener(record)
        record.moved()

    def streams(self, proxies: Collection[str]) -> list[StreamRecord]:
        """The connected streams of these proxies."""
        return [record for record in self._streams if record.proxy in proxies]

    def all(self) -> list[StreamRecord]:
        """All connected streams."""
        return list(self._streams)

    def refuse(self, proxy: str, address: str, reason: str, now: datetime) -> None:
        """Somebody was not served. ``address`` is where from, without a port: that differs each time."""
        proxy = printable(proxy, _MAX_ID)
        previous = self._refused.pop((proxy, address), None)
        self._refused[proxy, address] = Refused(
            proxy=proxy,
            address=address,
            reason=reason,
            times=previous.times + 1 if previous else 1,
            first_at=previous.first_at if previous else now,
            last_at=now,
        )
        if len(self._refused) > _MAX_REFUSED:
            del self._refused[next(iter(self._refused))]

    def snapshot(self) -> Snapshot:
        """The status of everyone now."""
        return Snapshot(
            connected=tuple(record.status() for record in sorted(self._streams, key=lambda r: r.proxy)),
            refused=tuple(reversed(self._refused.values())),
        )

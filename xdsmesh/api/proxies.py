"""``/v1/xdsmesh/proxies``: who is connected, what each has acknowledged, and what it should hold.

These paths are our own.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from litestar import get
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_404_NOT_FOUND

from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.reply import Reply
from xdsmesh.api.request import AnyRequest, tail
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.wording import nearest
from xdsmesh.index.views import Index
from xdsmesh.model.errors import NotFoundError
from xdsmesh.model.origin import Origin, Source
from xdsmesh.model.resource import LISTENER, SHORT_NAMES, TYPES, ProxyView
from xdsmesh.status import (
    HeldConfig,
    HeldResource,
    ProxyDetail,
    ProxyStatus,
    Registry,
    Snapshot,
    State,
    TypeStatus,
)
from xdsmesh.translate.decode import decode

PROXY: Final = Parameter("id", "The id of a proxy.", where="path")
_TYPE_URLS: Final = {short: type_url for type_url, short in SHORT_NAMES.items()}
_NAMES: Final = dict(zip(TYPES, ("clusters", "endpoints", "listeners", "routes", "secrets"), strict=True))


class Proxies:
    """The status of all proxies, with what is behind what they rejected."""

    def __init__(self, registry: Registry, index: Index, repository: Repository) -> None:
        self._registry = registry
        self._index = index
        self._repository = repository

    async def snapshot(self) -> Snapshot:
        """Everyone who is connected or was refused, as of now."""
        snapshot = self._registry.snapshot()
        return replace(snapshot, connected=tuple([await self.traced(each) for each in snapshot.connected]))

    async def detail(self, proxy_id: str) -> ProxyDetail:
        """All about one proxy.

        Raises:
            NotFoundError: it is neither registered nor connected; the text names the nearest that is.
        """
        snapshot = self._registry.snapshot()
        streams = [await self.traced(each) for each in snapshot.connected if each.proxy == proxy_id]
        instance = self._index.proxy(proxy_id)
        if instance is not None:
            service, kind = instance.fronted_service, instance.kind.value
        elif streams:
            service, kind = streams[0].service, ""
        else:
            raise self._unknown(proxy_id)
        refused = tuple(each for each in snapshot.refused if each.proxy == proxy_id)
        return ProxyDetail(proxy_id, service, kind, tuple(streams), refused)

    def config(self, proxy_id: str) -> HeldConfig:
        """All that a proxy should hold, connected or not. Only to a connected one a leaf is issued.

        Raises:
            NotFoundError: no such proxy is registered; the text names the nearest that is.
        """
        view = self._index.view(proxy_id)
        if view is None:
            raise self._unknown(proxy_id)
        connected = bool(self._registry.streams((proxy_id,)))
        held = {name: self._held(view, type_url) for type_url, name in _NAMES.items()}
        return HeldConfig(proxy_id, connected, self._index.revision, held)

    def connected(self) -> tuple[ProxyStatus, ...]:
        """The streams as of now, without what is behind their errors."""
        return self._registry.snapshot().connected

    def work(self) -> Mapping[str, int]:
        """How often each rule of the index has run since the start."""
        return dict(sorted(self._index.work.items()))

    async def traced(self, proxy: ProxyStatus) -> ProxyStatus:
        """A stream with what only the catalog knows: what the proxy is, and what is behind its errors."""
        instance = self._index.proxy(proxy.proxy)
        kind = instance.kind.value if instance else ""
        types = proxy.types
        if any(status.last_error for status in types):
            types = tuple([await self._with_causes(proxy.proxy, each) for each in types])
        return replace(proxy, kind=kind, types=types)

    async def _with_causes(self, proxy_id: str, status: TypeStatus) -> TypeStatus:
        if status.last_error is None:
            return status
        causes = await self._causes(proxy_id, status.type, status.last_error.rejected)
        return replace(
            status,
            causes=causes if status.rejected else (),
            last_error=replace(status.last_error, causes=causes),
        )

    async def _causes(self, proxy_id: str, type_: str, rejected: tuple[str, ...]) -> tuple[str, ...]:
        """What is behind rejected resources, each with the place where it was written.

        That is entries and, as a listener's address and port are its registration's, the proxy.
        """
        type_url = _TYPE_URLS.get(type_, "")
        behind = {
            (kind, name)
            for resource in rejected
            for _, kind, name in self._index.entries_behind(proxy_id, type_url, resource)
        }
        stored = [(kind, name, await self._repository.entry(kind, name)) for kind, name in sorted(behind)]
        entries = tuple(f"{kind}/{name} ({_where(each.origin)})" for kind, name, each in stored if each)
        return (*entries, *await self._registration(proxy_id)) if type_url == LISTENER else entries

    async def _registration(self, proxy_id: str) -> tuple[str, ...]:
        sidecar = self._index.proxy(proxy_id)
        origin = await self._repository.instance_origin(sidecar) if sidecar else None
        return (f"service {proxy_id} ({_where(origin)})",) if origin else ()

    def _held(self, view: ProxyView, type_url: str) -> tuple[HeldResource, ...]:
        resources = view.of(type_url)
        streams = self._registry.streams((view.proxy,))
        states = streams[-1].progress.states(type_url, resources) if streams else {}
        return tuple(
            HeldResource(name, each.version, len(each.any), states.get(name, State.NOT_SENT), decode(each))
            for name, each in sorted(resources.items())
        )

    def _unknown(self, proxy_id: str) -> NotFoundError:
        near = nearest(proxy_id, self._index.proxies())
        remedy = f"did you mean {near}?" if near else "`xdsmesh services list` shows those there are"
        return NotFoundError(f'no proxy "{proxy_id}" is registered here ({remedy})')


@get("/v1/xdsmesh/proxies", opt=doc(reply=Snapshot))
async def proxies(proxies: NamedDependency[Proxies]) -> Reply[Snapshot]:
    """Every proxy that is connected, and those that asked and were refused."""
    return Reply(await proxies.snapshot())


@get("/v1/xdsmesh/proxies/{id:path}", opt=doc(PROXY, reply=ProxyDetail, errors=(HTTP_404_NOT_FOUND,)))
async def proxy(request: AnyRequest, proxies: NamedDependency[Proxies]) -> Reply[ProxyDetail]:
    """All about one proxy."""
    return Reply(await proxies.detail(tail(request)))


@get("/v1/xdsmesh/proxy-config/{id:path}", opt=doc(PROXY, reply=HeldConfig, errors=(HTTP_404_NOT_FOUND,)))
async def proxy_config(request: AnyRequest, proxies: NamedDependency[Proxies]) -> Reply[HeldConfig]:
    """What one proxy should hold, connected or not, without its keys."""
    return Reply(proxies.config(tail(request)))


@get("/v1/xdsmesh/work", opt=doc(reply=dict[str, dict[str, int] | int]))
async def work(proxies: NamedDependency[Proxies]) -> Reply[Mapping[str, Mapping[str, int] | int]]:
    """What the index has done since the start: runs by rule, and resources encoded."""
    rules = proxies.work()
    return Reply({"rules": rules, "encoded": rules.get("encoded", 0)})


def _where(origin: Origin) -> str:
    return f"API, {origin}" if origin.source is Source.API else str(origin)

"""``/v1/xdsmesh/proxies``: who is connected, and what each has acknowledged. These paths are our own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from litestar import get
from litestar.di import NamedDependency

from xdsmesh.api.openapi.declare import doc
from xdsmesh.api.reply import Reply
from xdsmesh.catalog.repository import Repository
from xdsmesh.index.views import Index
from xdsmesh.model.resource import SHORT_NAMES
from xdsmesh.status import ProxyStatus, Registry, Snapshot, TypeStatus

_TYPE_URLS: Final = {short: type_url for type_url, short in SHORT_NAMES.items()}


class Proxies:
    """The status of all proxies, with the config entries behind what they rejected."""

    def __init__(self, registry: Registry, index: Index, repository: Repository) -> None:
        self._registry = registry
        self._index = index
        self._repository = repository

    async def snapshot(self) -> Snapshot:
        """Everyone who is connected or was refused, as of now."""
        snapshot = self._registry.snapshot()
        return replace(snapshot, connected=tuple([await self._traced(each) for each in snapshot.connected]))

    def work(self) -> Mapping[str, int]:
        """How often each rule of the index has run since the start."""
        return dict(sorted(self._index.work.items()))

    async def _traced(self, proxy: ProxyStatus) -> ProxyStatus:
        if not any(status.rejected for status in proxy.types):
            return proxy
        types = [replace(each, causes=await self._causes(proxy.proxy, each)) for each in proxy.types]
        return replace(proxy, types=tuple(types))

    async def _causes(self, proxy_id: str, status: TypeStatus) -> tuple[str, ...]:
        """The entries behind the rejected resources, each with the place where it was written."""
        type_url = _TYPE_URLS.get(status.type, "")
        behind = {
            (kind, name)
            for rejected in status.rejected
            for _, kind, name in self._index.entries_behind(proxy_id, type_url, rejected)
        }
        stored = [(kind, name, await self._repository.entry(kind, name)) for kind, name in sorted(behind)]
        return tuple(f"{kind}/{name} ({each.origin})" for kind, name, each in stored if each)


@get("/v1/xdsmesh/proxies", opt=doc(reply=Snapshot))
async def proxies(proxies: NamedDependency[Proxies]) -> Reply[Snapshot]:
    """Every proxy that is connected, and those that asked and were refused."""
    return Reply(await proxies.snapshot())


@get("/v1/xdsmesh/work", opt=doc(reply=dict[str, dict[str, int] | int]))
async def work(proxies: NamedDependency[Proxies]) -> Reply[Mapping[str, Mapping[str, int] | int]]:
    """What the index has done since the start: runs by rule, and resources encoded."""
    rules = proxies.work()
    return Reply({"rules": rules, "encoded": rules.get("encoded", 0)})

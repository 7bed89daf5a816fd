"""Writes of config entries and intentions in a secondary: the primary judges and keeps them.

Its answer is the answer, and comes once what was written has arrived here, too.
"""

import asyncio
from typing import Any, Final
from urllib.parse import quote

import msgspec
from litestar import MediaType, Response
from litestar.status_codes import HTTP_200_OK, HTTP_300_MULTIPLE_CHOICES, HTTP_404_NOT_FOUND

from xdsmesh.api.datacenters import is_below, wanted_datacenter
from xdsmesh.api.encode import entry_body
from xdsmesh.api.forwarding import Forwarded, Forwarding, ask_request
from xdsmesh.api.reply import as_json
from xdsmesh.api.request import AnyRequest, is_pretty, tail, unsigned
from xdsmesh.api.wait_for_proxies import PARAMETER
from xdsmesh.catalog.feed import Feed
from xdsmesh.catalog.repository import Repository
from xdsmesh.catalog.stored import Stored
from xdsmesh.config.entry import Entry
from xdsmesh.config.files import decode_entry
from xdsmesh.federation.asking import ENTRIES
from xdsmesh.federation.status import LinkState
from xdsmesh.federation.v1.federation_pb2 import AskRequest, AskResponse
from xdsmesh.model.errors import OutOfReachError

_ARRIVAL: Final = 5.0
"""Seconds: a link that works brings a write in less than one."""
_WAITED_FOR_HERE: Final = frozenset({PARAMETER})
_INDEXES: Final = ("CreateIndex", "ModifyIndex")


class PrimaryWrites:
    """Takes writes of entries to the primary."""

    def __init__(self, forwarding: Forwarding, repository: Repository, feed: Feed) -> None:
        self._forwarding: Final = forwarding
        self._repository: Final = repository
        self._feed: Final = feed

    async def write(self, request: AnyRequest, primary: str) -> Response[bytes]:
        """The primary's answer to a write; what it refuses is refused.

        Raises:
            OutOfReachError: the primary can't be reached.
        """
        asked = await ask_request(request, without=_WAITED_FOR_HERE)
        # Of all writes these alone look at an index.
        index = unsigned(request, "cas") if is_below(request, "/v1/config") else None
        wanted = wanted_datacenter(request) or self._forwarding.datacenter
        if index is not None and wanted == self._forwarding.datacenter:
            decided = await self._compare(request, asked, primary, index)
            if isinstance(decided, Response):
                return decided
            asked = decided
        answer = await self._ask(request, asked, primary)
        return Forwarded(answer, *await self._arrived(answer, primary))

    async def _ask(self, request: AnyRequest, asked: AskRequest, primary: str) -> AskResponse:
        link = self._forwarding.link(primary)
        try:
            return await self._forwarding.ask(primary, asked, request)
        except OutOfReachError as error:
            written = (
                "it is not known whether it was written: read it before you write again"
                if link and link.state is LinkState.UP
                else "nothing was written"
            )
            raise OutOfReachError(
                f"{written}; config entries and intentions are written in the primary datacenter, and {error}"
            ) from error

    async def _arrived(self, answer: AskResponse, primary: str) -> tuple[str, ...]:
        """Return once all is here that the primary had after a write; if that takes long, a warning."""
        told = next((each.value for each in answer.headers if each.name == ENTRIES), "")
        if answer.status >= HTTP_300_MULTIPLE_CHOICES or not told.isdecimal():
            return ()
        revision, cursors = int(told), self._feed.view.remote.cursors

        def is_here() -> bool:
            return primary in cursors and cursors[primary].value.revision >= revision

        try:
            async with asyncio.timeout(_ARRIVAL):
                await self._feed.until(is_here)
        except TimeoutError:
            late = f"it is written in {primary}, and has not arrived here within {_ARRIVAL:g} s"
            return (f"{late}: reads here may still show what was before",)
        return ()

    async def _compare(
        self, request: AnyRequest, asked: AskRequest, primary: str, index: int
    ) -> AskRequest | Response[bytes]:
        """A compare-and-set in terms of the primary, or the answer if it fails.

        Indexes are of the datacenter where they were read. So it is compared here; then the primary must have
        the same value as we do, and is asked to write only if that is still so by its own index.
        """
        body = None if asked.method == "DELETE" else decode_entry(asked.body)
        kind, name = (body.KIND, body.name) if body else (request.path_params["kind"], tail(request))
        here = await self._repository.entry(kind, name)
        if index != (here.modified if here else 0):
            has_it_already = here.value == body if here else body is None
            return _answer(request, done=has_it_already)
        if here is None:
            return asked
        there = await self._ask(request, AskRequest(method="GET", target=_path(here.value)), primary)
        if there.status not in (HTTP_200_OK, HTTP_404_NOT_FOUND):
            return Forwarded(there)
        found = msgspec.json.decode(there.body) if there.status == HTTP_200_OK else {}
        if _content(found) != _content(_shown(here)):
            return _answer(request, done=False)
        cas = {"cas": str(found["ModifyIndex"])}
        return await ask_request(request, without=_WAITED_FOR_HERE | {"cas"}, more=cas)


def _answer(request: AnyRequest, *, done: bool) -> Response[bytes]:
    body = as_json(done, pretty=is_pretty(request))
    return Response(body, media_type=MediaType.JSON, status_code=HTTP_200_OK)


def _path(entry: Entry) -> str:
    return f"/v1/config/{entry.KIND}/{quote(entry.name, safe='')}"


def _shown(stored: Stored[Entry]) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(entry_body(stored)))
    return shown


def _content(shown: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shown.items() if key not in _INDEXES}

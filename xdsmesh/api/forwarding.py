"""Requests about another datacenter: they cross the link to it, and its answer is the answer."""

import asyncio
from collections.abc import Awaitable, Callable, Container, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from litestar import Response
from litestar.exceptions import ClientException
from litestar.response.base import ASGIResponse

from xdsmesh.api.blocking import Blocking
from xdsmesh.api.datacenters import may_cross, wanted_datacenter, writes_entries
from xdsmesh.api.request import AnyRequest
from xdsmesh.catalog.remote import RemoteView
from xdsmesh.federation.asking import CLIENT, ENTRIES
from xdsmesh.federation.errors import LinkError
from xdsmesh.federation.links import Links
from xdsmesh.federation.members import all_datacenters, primary_of
from xdsmesh.federation.status import LinkState, LinkStatus
from xdsmesh.federation.v1.federation_pb2 import AskRequest, AskResponse, Header
from xdsmesh.model.errors import NoPathError, OutOfReachError

_OURS: Final = frozenset({"dc", "datacenter", "token"})
"""Parameters that are for this datacenter: tokens are known where they were made."""
_PASSED_ON: Final = ("accept-encoding", "cache-control", "content-type")
_KEPT: Final = frozenset({"content-length", ENTRIES})
"""Headers of an answer that are not for the client, or are made anew."""
_PATIENCE: Final = 30.0
"""Seconds for an answer that nobody holds back."""


class Forwarded(Response[bytes]):
    """The answer of another datacenter, as it came; a warning of ours may go with it."""

    def __init__(self, answer: AskResponse, *warnings: str) -> None:
        super().__init__(answer.body, status_code=answer.status)
        self._answer: Final = answer
        self._warnings: Final = warnings

    def to_asgi_response(self, app: Any, request: AnyRequest, **options: Any) -> ASGIResponse:  # noqa: ARG002
        """What is sent: headers may be there several times."""
        told = [(each.name, each.value) for each in self._answer.headers if each.name not in _KEPT]
        told += [("x-xdsmesh-warning", warning) for warning in self._warnings]
        return ASGIResponse(
            body=self._answer.body,
            status_code=self._answer.status,
            headers=told,
        )


class Forwarding:
    """Sends requests over the links; ``datacenter`` is the own one."""

    def __init__(self, datacenter: str, remote: RemoteView, links: Links) -> None:
        self.datacenter: Final = datacenter
        self.remote: Final = remote
        self.links: Final = links

    def destination(self, request: AnyRequest) -> str:
        """The datacenter that is to answer a request: the one that it names, of entries the primary.

        Raises:
            NoPathError: it names one that there is not.
            ClientException: it names another one, and can't be asked of that, or has an index of that.
        """
        wanted = wanted_datacenter(request) or self.datacenter
        known = all_datacenters(self.remote, self.datacenter)
        if wanted not in known:
            raise NoPathError(f"No path to datacenter {wanted!r} (there is {', '.join(known)})")
        if writes_entries(request):
            primary = primary_of(self.remote) or self.datacenter
            _check_index(request, wanted, {self.datacenter, primary}, primary)
            return primary
        if wanted != self.datacenter and not may_cross(request):
            method, path = request.scope["method"], request.scope["path_template"]
            raise ClientException(
                f"{method} {path} is about a datacenter's own control plane: send it to that of {wanted},"
                f" this is the one of {self.datacenter}"
            )
        return wanted

    async def forward(self, request: AnyRequest, datacenter: str) -> Forwarded:
        """The answer of another datacenter.

        Raises:
            OutOfReachError: there is none, and why.
            ClientException: the time to wait is no duration.
        """
        held = "index" in request.query_params or "hash" in request.query_params
        seconds = Blocking.of(request).seconds if held else 0
        return Forwarded(await self.ask(datacenter, await ask_request(request), request, _PATIENCE + seconds))

    async def ask(
        self, datacenter: str, asked: AskRequest, request: AnyRequest, seconds: float = _PATIENCE
    ) -> AskResponse:
        """Ask another datacenter, as long as the client of a request is there to hear the answer.

        Raises:
            OutOfReachError: there is no answer, and why.
        """
        try:
            call = self.links.call(datacenter).ask(asked, seconds)
            return await _unless_gone(request, call)
        except LinkError as error:
            raise self._out_of_reach(datacenter, error.reason) from error

    def link(self, datacenter: str) -> LinkStatus | None:
        """How the link to a datacenter stands."""
        return next((each for each in self.links.status() if each.datacenter == datacenter), None)

    def _out_of_reach(self, datacenter: str, reason: str) -> OutOfReachError:
        link = self.link(datacenter)
        since = ""
        if link and link.state is not LinkState.UP:
            via = f" through {link.via}" if link.via else ""
            since = f"; the link{via} is {link.state} since {link.since:%Y-%m-%d %H:%M:%S} UTC"
        return OutOfReachError(
            f"datacenter {datacenter} can't be reached: {reason}{since}"
            f" (`xdsmesh dc status {datacenter}` tells what to do)"
        )


def _check_index(request: AnyRequest, wanted: str, usable: Container[str], primary: str) -> None:
    if request.query_params.get("cas") and wanted not in usable:
        raise ClientException(
            f"Invalid cas: an index of {wanted} says nothing of the entries that {primary} keeps for all"
            f" (read the entry with ?dc={primary}, and write it with the same)"
        )


async def ask_request(
    request: AnyRequest, *, without: frozenset[str] = frozenset(), more: Mapping[str, str] | None = None
) -> AskRequest:
    """A request as another datacenter gets it: some parameters are left out, and some come in."""
    raw: bytes = request.scope["raw_path"]
    query = request.scope["query_string"].decode("latin-1")
    given = parse_qsl(query, keep_blank_values=True)
    kept = [(name, value) for name, value in given if name not in _OURS | without]
    target = raw.decode("latin-1")
    if encoded := urlencode([*kept, *(more or {}).items()]):
        target = f"{target}?{encoded}"
    headers = [(name, request.headers[name]) for name in _PASSED_ON if name in request.headers]
    headers.append((CLIENT, request.client.host if request.client else ""))
    return AskRequest(
        method=request.scope["method"],
        target=target,
        headers=[Header(name=name, value=value) for name, value in headers],
        body=await request.body(),
    )


async def _unless_gone(request: AnyRequest, call: Awaitable[AskResponse]) -> AskResponse:
    """The answer to a call, which ends when the client of the request goes away."""
    calling = asyncio.ensure_future(call)
    leaving = asyncio.create_task(_gone(request.receive))
    try:
        await asyncio.wait((calling, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not calling.done():
            raise OutOfReachError("nobody waits for the answer any more")
        return calling.result()
    finally:
        for task in (calling, leaving):
            task.cancel()
        await asyncio.wait((calling, leaving))


async def _gone(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

"""What the demo asks the control plane: whether it is there, and what the proxies have acknowledged."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Self

import httpx
import msgspec

from xdsmesh.demo.errors import DemoError
from xdsmesh.model.checks import CheckType
from xdsmesh.model.token import HEADER
from xdsmesh.status import Snapshot, State

_SETTLED = (State.SYNCED, State.NOT_SENT)


class _Check(msgspec.Struct, frozen=True, rename="pascal"):
    """What a health check is."""

    type: str


class Decision(msgspec.Struct, frozen=True, rename="pascal"):
    """What the intentions say of a call, and the rule that decides, for a person."""

    allowed: bool
    reason: str


class Control:
    """A client of the control plane's HTTP API. All but ``answers`` raise ``DemoError`` if it fails."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def answers(self) -> bool:
        """Whether it serves."""
        try:
            response = await self._http.get("/v1/status/leader")
        except httpx.TransportError:
            return False
        return response.is_success

    async def revision_of(self, kind: str, name: str) -> int:
        """The revision that last wrote a config entry."""
        return int(msgspec.json.decode(await self._get(f"/v1/config/{kind}/{name}"))["ModifyIndex"])

    async def synced(self, proxies: Collection[str]) -> bool:
        """Whether just these proxies are connected, and have acknowledged all that they were sent."""
        connected = (await self.snapshot()).connected
        return {proxy.proxy for proxy in connected} == set(proxies) and all(
            proxy.types and all(status.state in _SETTLED for status in proxy.types) for proxy in connected
        )

    async def found(self) -> bool:
        """Whether all sidecars are known to listen, and every connected proxy has acknowledged that."""
        critical = await self._ask("/v1/health/state/critical")
        checks = msgspec.json.decode(critical.content, type=list[_Check])
        if any(check.type == CheckType.TCP for check in checks):
            return False
        return await self.at_revision(int(critical.headers["X-Consul-Index"]))

    async def at_revision(self, revision: int) -> bool:
        """Whether every connected proxy has acknowledged all that follows from a revision."""
        return all(proxy.revision >= revision for proxy in (await self.snapshot()).connected)

    async def last_ack(self) -> datetime:
        """When the last proxy acknowledged something."""
        connected = (await self.snapshot()).connected
        return max(status.acked_at for proxy in connected for status in proxy.types if status.acked_at)

    async def snapshot(self) -> Snapshot:
        """The status of all proxies."""
        return msgspec.json.decode(await self._get("/v1/xdsmesh/proxies"), type=Snapshot)

    async def decision(self, source: str, destination: str, path: str = "") -> Decision:
        """What decides about a call, or about a GET for a path."""
        query = {"source": source, "destination": destination} | ({"path": path} if path else {})
        answer = await self._ask("/v1/xdsmesh/intentions/check", params=query)
        return msgspec.json.decode(answer.content, type=Decision)

    async def refusal(self, proxy: str) -> str:
        """Why the last stream that claimed to be this proxy was refused; empty: none was."""
        refused = (await self.snapshot()).refused
        return next((each.reason for each in refused if each.proxy == proxy), "")

    async def roots(self) -> str:
        """The certificates that the mesh trusts, in PEM."""
        return (await self._ask("/v1/connect/ca/roots", params={"pem": "true"})).text

    async def trust_domain(self) -> str:
        """The mesh's."""
        return str(msgspec.json.decode(await self._get("/v1/connect/ca/roots"))["TrustDomain"])

    async def create_token(self, service: str) -> str:
        """Make a token for a service, as ``xdsmesh token create`` does: a secret."""
        made = await self._ask("/v1/xdsmesh/tokens", "POST", json={"Service": service})
        return str(made.json()["SecretID"])

    async def leaf(self, service: str, token: str) -> tuple[str, str] | None:
        """The certificate and the key of a service, in PEM; None: whoever has this token is refused them."""
        path = f"/v1/agent/connect/ca/leaf/{service}"
        response = await self._send(path, headers={HEADER: token})
        if response.status_code == httpx.codes.FORBIDDEN:
            return None
        body = _succeeded(response).json()
        return body["CertPEM"], body["PrivateKeyPEM"]

    async def _get(self, path: str) -> bytes:
        return (await self._ask(path)).content

    async def _ask(self, path: str, method: str = "GET", **more: Any) -> httpx.Response:
        return _succeeded(await self._send(path, method, **more))

    async def _send(self, path: str, method: str = "GET", **more: Any) -> httpx.Response:
        try:
            return await self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise DemoError(f"the control plane does not answer {path}: {error}") from error


def _succeeded(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    raise DemoError(
        f"the control plane answers {response.url.path} with {response.status_code}: {response.text}"
    )

"""A client of the server's HTTP API: a typed function for each call that the commands make.

Paths and shapes are Consul's: https://developer.hashicorp.com/consul/api-docs
"""

import os
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from xdsmesh.cli.answers import AgentSelf, AgentService, Written
from xdsmesh.cli.consul_flags import asked_datacenter
from xdsmesh.cli.errors import CommandError, ServerRefusedError
from xdsmesh.cli.options import DEFAULT_HTTP_ADDR
from xdsmesh.cli.waiting import HEADER, Waiting
from xdsmesh.status import HeldConfig, ProxyDetail, Snapshot

T = TypeVar("T")

Query = Mapping[str, str | list[str]]

_NOTHING: Final[Query] = {}
_WARNING: Final = "X-Xdsmesh-Warning"
_PATIENCE: Final = 30.0
_TIMEOUT: Final = httpx.Timeout(_PATIENCE, connect=5)


class Client:
    """A connection to one server; every call raises ``CommandError`` with a sentence when it fails.

    With ``waiting`` the answer of a write comes when the proxies have acknowledged it. ``address`` is the URL
    of the server.
    """

    def __init__(
        self,
        address: str,
        token: str = "",
        ca_cert: Path | None = None,
        waiting: Waiting | None = None,
    ) -> None:
        self.address = address
        self._waiting = waiting
        self._http = httpx.Client(
            base_url=_base_url(address),
            headers=_header(token),
            params={"dc": datacenter} if (datacenter := asked_datacenter()) else {},
            verify=_trust(ca_cert),
            # A proxy for the Web, which the environment may name, does not lead to a control plane.
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    @property
    def host(self) -> str:
        """The host of the server."""
        return urlsplit(self.address).hostname or ""

    def agent_self(self) -> AgentSelf:
        """What the server says of itself."""
        return self.call("GET", "/v1/agent/self", AgentSelf)

    def roots(self) -> str:
        """The certificates of the mesh's roots, PEM."""
        return self.send("GET", "/v1/connect/ca/roots", query={"pem": "true"}).text

    def services(self) -> dict[str, AgentService]:
        """The registered instances by id."""
        return self.call("GET", "/v1/agent/services", dict[str, AgentService])

    def register_service(self, body: bytes) -> None:
        """Register an instance, and the sidecar that it asks for."""
        self.write("PUT", "/v1/agent/service/register", body=body)

    def register_check(self, body: bytes) -> None:
        """Register a check of an instance or of the node."""
        self.write("PUT", "/v1/agent/check/register", body=body)

    def checks(self) -> dict[str, dict[str, Any]]:
        """The checks of this server's services and node, by id."""
        return self.call("GET", "/v1/agent/checks", dict[str, dict[str, Any]])

    def deregister_service(self, service_id: str) -> None:
        """Remove an instance and its sidecar."""
        self.write("PUT", f"/v1/agent/service/deregister/{segment(service_id)}")

    def write_entry(self, body: bytes, cas: int) -> Written:
        """Write a config entry; it is not done when it is no longer the one of revision ``cas``."""
        return self.written(self.write("PUT", "/v1/config", body=body, query=_cas(cas)))

    def write_entries(self, bodies: Sequence[bytes]) -> Written:
        """Write config entries together or not at all."""
        return self.written(self.write("PUT", "/v1/xdsmesh/config", body=b"[" + b",".join(bodies) + b"]"))

    def entry(self, kind: str, name: str) -> dict[str, Any]:
        """A config entry."""
        return self.call("GET", _entry_path(kind, name), dict[str, Any])

    def entries(self, kind: str, filter_: str = "") -> list[dict[str, Any]]:
        """The config entries of a kind, those that pass a filter."""
        query = {"filter": filter_} if filter_ else {}
        return self.call("GET", f"/v1/config/{segment(kind)}", list[dict[str, Any]], query=query)

    def delete_entry(self, kind: str, name: str, cas: int | None = None) -> bool:
        """Delete a config entry; false when it is no longer the one of revision ``cas``."""
        answer = self.decode(self.write("DELETE", _entry_path(kind, name), query=_cas(cas)), object)
        return answer is not False

    def chain(self, service: str, datacenter: str, overrides: dict[str, Any]) -> dict[str, Any]:
        """The discovery chain of a service, as if evaluated in a datacenter; empty is the server's own."""
        return self.call(
            "POST" if overrides else "GET",
            f"/v1/discovery-chain/{segment(service)}",
            dict[str, Any],
            body=msgspec.json.encode(overrides) if overrides else b"",
            query={"compile-dc": datacenter} if datacenter else {},
        )

    def proxies(self) -> Snapshot:
        """Who is connected, and who was refused."""
        return self.call("GET", "/v1/xdsmesh/proxies", Snapshot)

    def proxy(self, proxy_id: str) -> ProxyDetail:
        """All about one proxy."""
        return self.call("GET", f"/v1/xdsmesh/proxies/{segment(proxy_id)}", ProxyDetail)

    def proxy_config(self, proxy_id: str) -> HeldConfig:
        """What a proxy should hold."""
        return self.call("GET", f"/v1/xdsmesh/proxy-config/{segment(proxy_id)}", HeldConfig)

    def write(self, method: str, path: str, *, body: bytes = b"", query: Query = _NOTHING) -> httpx.Response:
        """Send what changes something, and wait for the proxies if that is wanted."""
        waiting = self._waiting
        if waiting is None:
            return self.send(method, path, body=body, query=query)
        with waiting.shown():
            query, timeout = {**query, **waiting.query}, _timeout(waiting.seconds)
            response = self.send(method, path, body=body, query=query, timeout=timeout)
        waiting.note(response.headers.get(HEADER))
        return response

    def call(
        self, method: str, path: str, answer: type[T], *, body: bytes = b"", query: Query = _NOTHING
    ) -> T:
        """Send a request, and read its answer as JSON of a type."""
        return self.decode(self.send(method, path, body=body, query=query), answer)

    def send(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        query: Query = _NOTHING,
        timeout: httpx.Timeout = _TIMEOUT,
    ) -> httpx.Response:
        """Send a request; the answer, if it was done."""
        try:
            response = self._http.request(method, path, content=body, params=query, timeout=timeout)
        except httpx.TimeoutException as error:
            raise CommandError(f"the server at {self.address} does not answer") from error
        except httpx.HTTPError as error:
            if _is_distrusted(error):
                raise CommandError(_distrusted(self.address, error)) from error
            raise CommandError(
                f"cannot reach a server at {self.address}: {error} (start one with `xdsmesh server --dev`,"
                f" or set --http-addr or XDSMESH_HTTP_ADDR to where one is{_unread(self.address)})"
            ) from error
        if response.status_code == httpx.codes.OK:
            return response
        text = response.text.strip() or response.reason_phrase
        if response.is_server_error:
            raise CommandError(f"the server at {self.address} failed ({response.status_code}): {text}")
        raise ServerRefusedError(text)

    def written(self, response: httpx.Response) -> Written:
        """What the answer to a write says."""
        return Written(self.decode(response, bool), tuple(response.headers.get_list(_WARNING)))

    def decode(self, response: httpx.Response, answer: type[T]) -> T:
        """What an answer says, as JSON of a type."""
        try:
            return msgspec.json.decode(response.content, type=answer)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CommandError(
                f"{self.address}{response.url.path} answered what is not of this API"
                f" (is it an xdsmesh server?): {error}"
            ) from error


def _base_url(address: str) -> httpx.URL:
    try:
        return httpx.URL(address)
    except httpx.InvalidURL as error:
        raise CommandError(f"{address!r} is not the address of a server: {error}") from error


def _header(token: str) -> Mapping[bytes, bytes]:
    if not token.isprintable():
        raise CommandError("the token to present has line breaks or other characters that no token has")
    return {b"X-Consul-Token": token.encode()} if token else {}


def _unread(address: str) -> str:
    """A remark for who has told Consul's command where to ask."""
    consuls = os.environ.get("CONSUL_HTTP_ADDR")
    if not consuls or address != DEFAULT_HTTP_ADDR or os.environ.get("XDSMESH_HTTP_ADDR"):
        return ""
    return f"; CONSUL_HTTP_ADDR, which is {consuls}, is not read: a Consul may be there"


def _trust(ca_cert: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_cert)
    except (OSError, ssl.SSLError) as error:
        raise CommandError(f"cannot use the CA certificates in {ca_cert}: {error}") from error


def _is_distrusted(error: BaseException | None) -> bool:
    """Whether a certificate is behind an error."""
    while error and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def _distrusted(address: str, error: httpx.HTTPError) -> str:
    return (
        f"the server at {address} can't be trusted: {error} (use an address that its certificate has, and"
        " give --ca-cert or XDSMESH_CACERT; `xdsmesh ca roots --format pem` there prints what is in it)"
    )


def _timeout(waits: float) -> httpx.Timeout:
    """For an answer that the server holds back for so many seconds."""
    return httpx.Timeout(_PATIENCE, connect=5, read=_PATIENCE + waits)


def _cas(index: int | None) -> Query:
    return {} if index is None else {"cas": str(index)}


def segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="")


def _entry_path(kind: str, name: str) -> str:
    return f"/v1/config/{segment(kind)}/{segment(name)}"

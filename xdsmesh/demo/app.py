"""One application in a container: ``python -m xdsmesh.demo.app`` says who it is, and calls others when asked.

It listens on all addresses and port 8080, unless ``HOST`` and ``PORT`` of the environment say otherwise. That
says who it is, too, ``SERVICE`` and ``VERSION``, and whom it can call: ``UPSTREAMS``, such as
``db=http://10.0.0.2:9001 api=http://10.0.0.2:9002``. ``/call/db/x`` asks db for ``/x``, and answers with db's
status and what db has said.
"""

import json
import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

import httpx
import uvicorn

HOST: Final = "0.0.0.0"  # noqa: S104 - a container is reached at its address
PORT: Final = 8080
_CALL: Final = "/call/"
_NOT_FOUND: Final = 404
_BAD_GATEWAY: Final = 502
_SECONDS: Final = 15

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class App:
    """An ASGI application: https://asgi.readthedocs.io/en/latest/specs/www.html.

    ``upstreams`` has the URL, without a path, under which each service can be called.
    """

    def __init__(self, service: str, version: str, upstreams: Mapping[str, str]) -> None:
        self._who = {"service": service, **({"version": version} if version else {})}
        self._upstreams = upstreams
        # One connection for each call: what a caller is answered depends on no connection of before.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._http = httpx.AsyncClient(timeout=_SECONDS, trust_env=False, limits=limits)

    async def __call__(self, scope: Mapping[str, Any], _receive: object, send: Send) -> None:
        """Answer one request."""
        path: str = scope["path"]
        status, more = await self._call(path) if path.startswith(_CALL) else (200, {})
        body = json.dumps({**self._who, "path": path, **more}).encode() + b"\n"
        kind = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": kind})
        await send({"type": "http.response.body", "body": body})

    async def _call(self, path: str) -> tuple[int, dict[str, Any]]:
        """Call who is named in a path; the status, and the answer as part of ours."""
        name, _, rest = path.removeprefix(_CALL).partition("/")
        if name not in self._upstreams:
            known = ", ".join(sorted(self._upstreams)) or "nobody"
            return _NOT_FOUND, {"error": f"{name} is no upstream here; it can call {known}"}
        try:
            answer = await self._http.get(f"{self._upstreams[name]}/{rest}")
        except httpx.HTTPError as error:
            return _BAD_GATEWAY, {"error": f"{name} did not answer: {type(error).__name__} {error}".strip()}
        return answer.status_code, {"called": _said(answer)}


def _said(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text.strip()


def main() -> None:
    """Serve until SIGTERM."""
    upstreams = dict(each.split("=", 1) for each in os.environ.get("UPSTREAMS", "").split())
    app = App(os.environ["SERVICE"], os.environ.get("VERSION", ""), upstreams)
    host, port = os.environ.get("HOST", HOST), int(os.environ.get("PORT", PORT))
    # A sidecar keeps its connections to the application: they must not end just when it sends on them.
    uvicorn.run(app, host=host, port=port, log_level="warning", lifespan="off", timeout_keep_alive=3600)


if __name__ == "__main__":
    main()

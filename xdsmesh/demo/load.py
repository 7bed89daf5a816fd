"""Requests into the mesh, and what came back."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

import httpx

_WORKERS: Final = 8
_SECONDS: Final = 10
_PEER: Final = re.compile(r"(?:^|;)URI=([^;,]+)")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request got, sent at ``began`` (``time.time``); ``failure`` is empty if it was status 200."""

    began: float
    failure: str = ""
    service: str = ""
    version: str = ""
    path: str = ""
    peer_spiffe: str = ""


class Client:
    """The application ``client``: it sends requests to the upstream listener of its sidecar."""

    def __init__(self, url: str) -> None:
        limits = httpx.Limits(max_connections=_WORKERS, max_keepalive_connections=_WORKERS)
        self._http = httpx.AsyncClient(base_url=url, limits=limits, timeout=_SECONDS, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def ask(self, path: str) -> Answer:
        """Send one request; it fails unless the answer is 200. Nothing is tried again."""
        began = time.time()
        try:
            response = await self._http.get(path)
        except httpx.HTTPError as error:
            return Answer(began, failure=f"{type(error).__name__}: {error}")
        if response.status_code != httpx.codes.OK:
            return Answer(began, failure=f"{response.status_code} {response.text[:200]}")
        body = response.json()
        return Answer(
            began,
            service=body["service"],
            version=body["version"],
            path=body["path"],
            peer_spiffe=peer_of(body["client_cert"]),
        )

    async def passes(self, path: str) -> bool:
        """Whether a request gets through."""
        return not (await self.ask(path)).failure

    async def ask_many(self, path: str, count: int) -> list[Answer]:
        """Send ``count`` requests, some at a time."""
        numbers = iter(range(count))

        async def work() -> list[Answer]:
            return [await self.ask(path) for _ in numbers]

        return [
            answer
            for answers in await asyncio.gather(*(work() for _ in range(_WORKERS)))
            for answer in answers
        ]


class Load:
    """Requests without a pause for as long as this context lives."""

    def __init__(self, client: Client, path: str) -> None:
        self.answers: list[Answer] = []
        self._client = client
        self._path = path
        self._ending = False
        self._workers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._workers = [asyncio.create_task(self._work()) for _ in range(_WORKERS)]
        return self

    async def __aexit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._ending = True
        if error:
            for worker in self._workers:
                worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=error is not None)

    async def _work(self) -> None:
        while not self._ending:
            self.answers.append(await self._client.ask(self._path))

    async def has_sent(self, count: int) -> bool:
        """Whether so many requests have been answered."""
        return len(self.answers) >= count

    def since(self, moment: float) -> list[Answer]:
        """The answers to requests that began after a moment (``time.time``)."""
        return [answer for answer in self.answers if answer.began > moment]


def peer_of(client_cert: str) -> str:
    """The SPIFFE id in an ``x-forwarded-client-cert``; empty: there is none."""
    peer = _PEER.search(client_cert)
    return peer.group(1) if peer else ""


def by_version(answers: Iterable[Answer]) -> Mapping[str, int]:
    """How many of the answers each version gave; failures are no answers."""
    return dict(sorted(Counter(answer.version for answer in answers if not answer.failure).items()))


def failures(answers: Iterable[Answer]) -> Mapping[str, int]:
    """How often requests failed, by the reason."""
    return Counter(answer.failure for answer in answers if answer.failure)

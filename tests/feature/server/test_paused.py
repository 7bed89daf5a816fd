"""A server that was stopped for a while and goes on, as by ``docker pause``, blames nobody for it."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

PAUSE_SECONDS = 4.5
"""Longer than any timeout or TTL here."""


class Door(ThreadingHTTPServer):
    """Holds whoever comes until it is opened for one of them, who is sent on, and then answered."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.places = threading.Semaphore(0)
        self.came = 0
        self.left = 0


class Visit(BaseHTTPRequestHandler):
    server: Door

    def do_GET(self) -> None:
        if self.path == "/":
            self.server.came += 1
            self.server.places.acquire(timeout=20)
            self.send_response(307)
            self.send_header("Location", "/there")
        else:
            self.send_response(200)
        self.end_headers()
        self.server.left += 1

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def door() -> Iterator[Door]:
    with Door() as door:
        thread = threading.Thread(target=door.serve_forever, args=(0.05,))
        thread.start()
        yield door
        door.places.release(100)
        door.shutdown()
        thread.join()


@contextmanager
def doing(work: Callable[[], object]) -> Iterator[None]:
    """Some work is done again and again, beside the test."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(0.02):
            work()

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(run)
        yield
        over.set()
        running.result(30)


class Watch:
    """Asks which checks are critical, waits until there are others, and remembers all of them."""

    def __init__(self, server: Any) -> None:
        self.critical: set[str] = set()
        self.looks = 0
        self._http = server.http
        self._index = "0"

    def look(self) -> None:
        answer = self._http.get(f"/v1/health/state/critical?index={self._index}&wait=200ms")
        self._index = answer.headers["X-Consul-Index"]
        self.critical |= {each["CheckID"] for each in answer.json()}
        self.looks += 1


@contextmanager
def paused(server: Any) -> Iterator[None]:
    """The process of a server does not run, for a good while."""
    server.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        yield
        server.wait(lambda: time.monotonic() - began > PAUSE_SECONDS, "time passes")
    finally:
        server.process.send_signal(signal.SIGCONT)


def passes(server: Any, check_id: str) -> Callable[[], bool]:
    return lambda: server.http.get("/v1/agent/checks").json()[check_id]["Status"] == "passing"


def test_who_answers_a_server_that_is_paused_is_not_critical_afterwards(
    start: Callable[..., Any], door: Door
) -> None:
    server = start("--dev")
    check = {"HTTP": f"http://127.0.0.1:{door.server_port}/", "Interval": "1s", "Timeout": "4s"}
    server.http.put("/v1/agent/service/register", json={"Name": "web", "Check": check}).raise_for_status()
    door.places.release()
    server.wait(passes(server, "service:web"), "the check passes")

    watch = Watch(server)
    with doing(watch.look):
        server.wait(lambda: door.came == 2, "a probe is under way")
        with paused(server):
            door.places.release()
            server.wait(lambda: door.left == 3, "its answer is on the way")
        server.wait(lambda: door.came == 3, "it is probed again")
        looked = watch.looks
        server.wait(lambda: watch.looks > looked + 1, "somebody looks at its status")
        door.places.release(100)
    assert not watch.critical


def test_who_speaks_for_itself_in_time_is_not_expired_after_a_pause(start: Callable[..., Any]) -> None:
    server = start("--dev")
    check = {"CheckID": "alive", "TTL": "2s", "Status": "passing"}
    server.http.put("/v1/agent/service/register", json={"Name": "web", "Check": check}).raise_for_status()

    watch, beats = Watch(server), []

    def beat() -> None:
        server.http.put("/v1/agent/check/pass/alive").raise_for_status()
        beats.append(time.monotonic())

    with doing(beat), doing(watch.look):
        server.wait(lambda: beats, "it speaks")
        with paused(server):
            before = len(beats)
        server.wait(lambda: len(beats) > before + 1, "it speaks again")
    assert not watch.critical

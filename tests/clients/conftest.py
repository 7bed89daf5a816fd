"""Clients that were written for Consul, as they are published, and the real server."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import consul
import pytest

SECONDS = 20

Ask = Callable[[consul.Consul], Any]


@pytest.fixture(scope="module")
def port(shared: Any) -> int:
    """The port of the HTTP API of the module's server."""
    port: int = shared.http.base_url.port
    return port


@pytest.fixture(scope="module")
def client(port: int) -> Iterator[consul.Consul]:
    """py-consul, as anybody makes it."""
    with consul.Consul(port=port) as client:
        yield client
        client.http.session.close()


@pytest.fixture
def woken(client: consul.Consul, port: int) -> Callable[[Ask, Ask], Any]:
    """What a read that waits answers when something is changed meanwhile, each by a client of its own."""

    def wake(ask: Ask, change: Ask) -> Any:
        with consul.Consul(port=port) as waiter, ThreadPoolExecutor(1) as pool:
            answer = pool.submit(ask, waiter)
            change(client)
            found = answer.result(SECONDS)
            waiter.http.session.close()
        return found

    return wake

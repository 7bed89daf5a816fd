"""Who was turned away in the TLS handshake: an end of a connection alone does not tell why it came."""

from collections import Counter
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Final

import httpx

from xdsmesh.demo.calls import CLOSED, DENIED, FAILED, Answer
from xdsmesh.demo.errors import DemoError
from xdsmesh.demo.layout import Instance
from xdsmesh.demo.network import Network

_REFUSED: Final = {"filter": r"\.ssl\.fail_verify_\w+$", "format": "json"}
"""Envoy's counters of certificates that it did not accept, or that were missing.

https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/stats#tls-statistics
"""


async def judged(network: Network, callee: Instance, call: Awaitable[Answer]) -> Answer:
    """What becomes of a call; if it is closed, it is denied if the callee's Envoy refused a certificate."""
    before = await _refused(network, callee)
    answer = await call
    if answer.observed != CLOSED:
        return answer
    after = await _refused(network, callee)
    rose = ", ".join(name for name, count in after.items() if count > before.get(name, 0))
    if rose:
        return replace(answer, observed=DENIED, seen=f"{answer.seen}, {rose}")
    return replace(answer, observed=FAILED, seen=f"{answer.seen}, but not by {callee.service}'s Envoy")


async def _refused(network: Network, instance: Instance) -> Mapping[str, int]:
    """How many certificates the Envoy of an instance has refused so far, by the counter."""
    url = f"http://{network.host(instance.host)}:{network.admin_port}/stats"
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            stats = (await client.get(url, params=_REFUSED)).raise_for_status().json()["stats"]
    except httpx.HTTPError as error:
        raise DemoError(f"the Envoy of {instance.id} does not answer {url}: {error}") from error
    counts: Counter[str] = Counter()
    for stat in stats:
        counts[stat["name"].rpartition(".")[2]] += stat["value"]
    return counts

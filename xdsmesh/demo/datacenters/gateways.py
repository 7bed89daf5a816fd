"""The mesh gateways of the demo: how one is started, and whether it holds a key."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import httpx

from xdsmesh.demo.datacenters.side import Side
from xdsmesh.demo.errors import DemoError
from xdsmesh.demo.network import Network
from xdsmesh.demo.running import ENVOY_OPTIONS
from xdsmesh.demo.stage import Scene

_KEYS: Final = (
    "private_key",
    "tls_certificate",
    "tls_certificates",
    "tls_certificate_sds_secret_configs",
    "session_ticket_keys",
)
"""Under these words a config dump has keys, or says which ones are used.

https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/common.proto
"""


async def start_gateway(scene: Scene, side: Side) -> None:
    """Register the gateway of a datacenter, and run its Envoy; others are told the address of the spy."""
    network, gateway = scene.network, side.gateway
    lan = f"{network.host(gateway.host)}:{network.gateway_port}"
    command = [sys.executable, "-m", "xdsmesh", "envoy", "--gateway", "mesh", "--register"]
    command += ["--proxy-id", gateway.proxy, "--address", lan, "--bind-address", f"lan={lan}"]
    command += ["--wan-address", f"{network.host(gateway.wan_host)}:{network.gateway_port}"]
    command += ["--admin-bind", f"{network.host(gateway.host)}:{network.admin_port}"]
    command += ["--http-addr", side.running.http_addr, "--", *ENVOY_OPTIONS]
    await scene.processes.start(f"envoy of {gateway.proxy}", *command)


async def keys_of(network: Network, host: int) -> frozenset[str]:
    """The words for keys in the config dump of the Envoy at an address: none if it has no key."""
    url = f"http://{network.host(host)}:{network.admin_port}/config_dump"
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            dump = (await client.get(url)).raise_for_status().json()
    except httpx.HTTPError as error:
        raise DemoError(f"an Envoy does not answer {url}: {error}") from error
    return frozenset(keys_in(dump))


def keys_in(dump: Any) -> Iterator[str]:
    """The words for keys in a config dump, at any depth."""
    if isinstance(dump, Mapping):
        yield from (name for name in dump if name in _KEYS)
        dump = list(dump.values())
    if isinstance(dump, list):
        for each in dump:
            yield from keys_in(each)

"""The listeners of a server: xDS and the HTTP API, in the clear and over TLS, and for other datacenters."""

import asyncio
import gc
import ipaddress
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import structlog
from litestar.types import ASGIApp

from xdsmesh import __version__
from xdsmesh.api.about import OFF, About
from xdsmesh.api.serve import HttpServer
from xdsmesh.api.tls import make_context
from xdsmesh.ca.server_certificate import ServerCertificate, ServerNames
from xdsmesh.ca.stored import trust_problem
from xdsmesh.ca.tls import load_leaf
from xdsmesh.config import rules
from xdsmesh.federation.advertised import federation_address
from xdsmesh.federation.credentials import server_credentials
from xdsmesh.federation.port import keep_port, last_port
from xdsmesh.index.tables import FEDERATION_ADDRESS
from xdsmesh.model.address import host_port
from xdsmesh.model.catalog import Node
from xdsmesh.model.errors import AddressInUseError
from xdsmesh.model.facts import Fact
from xdsmesh.parts import Pick, ServerParts
from xdsmesh.settings import Address, Settings
from xdsmesh.xds.server import AdsServer
from xdsmesh.xds.tls import server_credentials as xds_credentials

log = structlog.get_logger(__name__)

ENVOY_VERSIONS: Final = ("1.40.0",)
"""The versions of Envoy that the tests run."""

_GRACE_SECONDS: Final = 3.0
_LOOPBACK: Final = ("127.0.0.1", "::1")


async def make_certificate(
    settings: Settings, parts: ServerParts, clock: Callable[[], datetime], pick: Pick
) -> ServerCertificate | None:
    """The certificate of the listeners that speak TLS; None: none does. Its ``run`` must run.

    Other datacenters alone are no reason not to start: without a certificate they are not served, see
    `serve_federation_later`.

    Raises:
        RefusedError: the intermediate has expired.
    """
    hosts = [each.host for each in (settings.https, settings.xds_tls, settings.federation) if each]
    if not hosts:
        return None
    names = _names(settings, hosts)
    try:
        return await ServerCertificate.make(parts.leaves.issuer, names, clock, pick)
    except ValueError as error:
        if not settings.https and not settings.xds_tls:
            why = f"there is no certificate to prove this server by: {error}"
            log.warning("other datacenters can't be served yet", error=why)
            parts.links.off = f"{why}; {_join_again(parts, settings.datacenter)}"
            return None
        remedy = "see in the log why it was not renewed, or turn --https-addr and --xds-tls-addr off"
        raise trust_problem(f"there is no certificate for TLS: {error}", remedy) from error


def _names(settings: Settings, hosts: list[str]) -> ServerNames:
    is_host_name = not any(rules.host_name("--node", settings.node))
    reached_at = [settings.advertise] if settings.advertise else []
    return ServerNames(
        settings.datacenter,
        dns_names=("localhost", *([settings.node] if is_host_name else [])),
        ip_addresses=(*_LOOPBACK, *reached_at, *(host for host in hosts if not _is_any(host))),
    )


def _join_again(parts: ServerParts, datacenter: str) -> str:
    primary = parts.leaves.issuer.configuration.primary
    if not primary:
        return "see in the log why the intermediate is not renewed"
    return f"join {primary} again, with a token of `xdsmesh dc token --datacenter {datacenter}` there"


async def serve_federation_later(
    settings: Settings,
    parts: ServerParts,
    listeners: AsyncExitStack,
    clock: Callable[[], datetime],
    pick: Pick,
) -> None:
    """Where other datacenters could not be served: do so once another intermediate makes a certificate."""
    if settings.federation is None:
        return
    changed = asyncio.Event()
    parts.leaves.issuer.listen(changed.set)
    certificate: ServerCertificate | None = None
    while certificate is None:
        await changed.wait()
        changed.clear()
        certificate = await make_certificate(settings, parts, clock, pick)
    try:
        await _serve_federation(listeners, parts, settings.federation, settings.advertise, certificate)
    except AddressInUseError as error:
        log.error("other datacenters can't be served", error=str(error))  # noqa: TRY400 - the text has it all
        return
    await certificate.run()


async def listen(
    settings: Settings,
    node: Node,
    parts: ServerParts,
    clock: Callable[[], datetime],
    certificate: ServerCertificate | None,
) -> AsyncExitStack:
    """Open the listeners, xDS first so that the API can tell its ports; closing the stack closes them.

    Raises:
        AddressInUseError: an address is taken, or not this machine's.
    """
    async with AsyncExitStack() as stack:
        xds_port = xds_tls_port = OFF
        if settings.xds:
            xds_port = await _serve_xds(stack, parts, clock, settings.xds, None)
        if settings.xds_tls and certificate:
            xds_tls_port = await _serve_xds(stack, parts, clock, settings.xds_tls, certificate)
        about = About(
            __version__,
            node,
            parts.leaves.issuer.bundle.trust_domain,
            xds_port=xds_port,
            xds_tls_port=xds_tls_port,
            envoy_versions=ENVOY_VERSIONS,
            default_intention_policy=settings.default_intention_policy,
        )
        parts.federation.is_wanted = settings.federation is not None
        if settings.federation and certificate:
            await _serve_federation(stack, parts, settings.federation, settings.advertise, certificate)
        app = parts.app(about)
        if settings.http:
            await _serve_http(stack, app, settings.http, None)
        if settings.https and certificate:
            context = make_context(certificate.leaf)
            certificate.listen(lambda leaf: load_leaf(context, leaf))
            await _serve_http(stack, app, settings.https, context)
        stack.callback(parts.close)
        # What exists now lives as long as the server: leave it out of every later collection.
        gc.freeze()
        gc.set_threshold(100_000, 50, 100)
        return stack.pop_all()


async def _serve_xds(
    stack: AsyncExitStack,
    parts: ServerParts,
    clock: Callable[[], datetime],
    address: Address,
    certificate: ServerCertificate | None,
) -> int:
    credentials = xds_credentials(lambda: certificate.leaf) if certificate else None
    server = AdsServer(parts.loop, parts.admissions, parts.registry, clock)
    port = await server.start(str(address), credentials)
    stack.push_async_callback(server.stop, _GRACE_SECONDS)
    what = "serving xDS over TLS" if certificate else "serving xDS"
    log.info(what, address=str(replace(address, port=port)))
    return port


async def _serve_federation(
    stack: AsyncExitStack,
    parts: ServerParts,
    address: Address,
    advertised: str,
    certificate: ServerCertificate,
) -> None:
    issuer = parts.leaves.issuer
    credentials = server_credentials(lambda: certificate.leaf, lambda: issuer.bundle)
    port = await _start_federation(parts, address, credentials)
    stack.push_async_callback(parts.federation.stop, _GRACE_SECONDS)
    reached = federation_address(replace(address, port=port), advertised)
    parts.loop.tell(Fact(FEDERATION_ADDRESS, reached))
    parts.links.prove_by(certificate)
    parts.overview.prove_by(certificate)
    log.info(
        "serving federation",
        address=str(replace(address, port=port)),
        advertised=host_port(reached.address, reached.port),
    )


async def _start_federation(parts: ServerParts, address: Address, credentials: Any) -> int:
    """Listen; the port, which is the one of before where any will do and nobody else has it now."""
    store = parts.repository.store
    before = 0 if address.port else await last_port(store)
    try:
        port = await parts.federation.start(str(replace(address, port=address.port or before)), credentials)
    except AddressInUseError:
        if not before:
            raise
        port = await parts.federation.start(str(address), credentials)
    if not address.port:
        await keep_port(store, port)
    return port


async def _serve_http(
    stack: AsyncExitStack, app: ASGIApp, address: Address, context: ssl.SSLContext | None
) -> None:
    server = HttpServer(app, context)
    port = await server.start(address.host, address.port)
    stack.push_async_callback(server.stop)
    log.info("serving HTTPS" if context else "serving HTTP", address=str(replace(address, port=port)))


def _is_any(host: str) -> bool:
    """Whether this listens on all addresses, which a certificate can't name."""
    return ipaddress.ip_address(host).is_unspecified

"""The composition root: the only module that knows all others, and the owner of every task of the server."""

import asyncio
import os
import random
import resource
import signal
import sys
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import structlog
import uvloop

from xdsmesh.api.about import CONSUL
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.key_file import key_of_environment, own_key_file, read_key_file
from xdsmesh.ca.roots_file import RootsFile
from xdsmesh.ca.sealing import Sealer
from xdsmesh.ca.stored import has_sealed_keys
from xdsmesh.catalog.announce import announce, check_datacenter
from xdsmesh.catalog.repository import Repository
from xdsmesh.catalog.upgrade import upgrade
from xdsmesh.federation.store_id import begin
from xdsmesh.folder import ConfigFolder
from xdsmesh.listeners import listen, make_certificate, serve_federation_later
from xdsmesh.model.catalog import Node
from xdsmesh.model.errors import AddressInUseError, RefusedError
from xdsmesh.model.origin import Source
from xdsmesh.obs import log as logs
from xdsmesh.parts import ServerParts
from xdsmesh.reach import check_reach, say_reach
from xdsmesh.settings import LogFormat, Settings
from xdsmesh.store.base import Store
from xdsmesh.store.memory import MemoryStore
from xdsmesh.store.sqlite import SQLiteStore

log = structlog.get_logger(__name__)

_RESOLVERS: Final = "64"


def run(settings: Settings) -> int:
    """Run the server until it is told to stop; the exit code of the command."""
    logs.set_up(as_json=settings.log_format is LogFormat.JSON)
    _take_what_the_machine_allows()
    try:
        uvloop.run(_serve(settings))
    except ExceptionGroup as group:
        expected, unexpected = group.split((RefusedError, AddressInUseError))
        if unexpected or not expected:
            raise
        return _refuse(*expected.exceptions)
    except (RefusedError, AddressInUseError) as error:
        return _refuse(error)
    return 0


def _take_what_the_machine_allows() -> None:
    """Each proxy, request that waits, and probe holds a file; each name that is looked up holds a thread."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems name a limit that they don't grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # libuv's own are four: so many names that nobody answers for would hold up all others.
    os.environ.setdefault("UV_THREADPOOL_SIZE", _RESOLVERS)


def _refuse(*errors: Exception) -> int:
    for error in errors:
        print(error, file=sys.stderr)  # noqa: T201 - the answer to a person's command, not an event
    return 1


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        store = await _open_store(settings, stack)
        await check_datacenter(store, settings.datacenter)
        await check_reach(settings, store)
        issuer = await Issuer.open(store, settings.trust_domain, _now, await _sealer(settings, store))
        roots_file = await RootsFile.make(settings.roots_file, issuer) if settings.roots_file else None
        meta = {"consul-network-segment": "", "consul-version": CONSUL}  # where clients look for it
        node = Node(settings.node, settings.advertise or "127.0.0.1", settings.datacenter, meta)
        pick = random.SystemRandom().uniform
        parts = ServerParts.make(
            store,
            node,
            issuer,
            _now,
            pick,
            policy=settings.default_intention_policy,
            trust_domain=settings.trust_domain,
        )
        parts.tokens.reached = bool(settings.reached)
        folder = ConfigFolder(settings.config_dir, parts.repository) if settings.config_dir else None
        async with asyncio.TaskGroup() as tasks:
            workers = [tasks.create_task(each, name=name) for name, each in parts.work().items()]
            if roots_file:
                workers.append(tasks.create_task(roots_file.run(), name="roots file"))
            await upgrade(store, node.name)
            await announce(store, node, lambda: str(uuid4()))
            await begin(store)
            await _load(folder, parts.repository)
            await parts.loop.wait_revision((await store.list(""))[0])
            certificate = await make_certificate(settings, parts, _now, pick)
            if certificate:
                workers.append(tasks.create_task(certificate.run(), name="server certificate"))
            listeners = await listen(settings, node, parts, _now, certificate)
            if certificate is None:
                later = serve_federation_later(settings, parts, listeners, _now, pick)
                workers.append(tasks.create_task(later, name="federation later"))
            if folder:
                workers.append(tasks.create_task(folder.follow(), name="config folder"))
            _say_what_to_expect(settings, parts)
            await stop.wait()
            log.info("stopping")
            await listeners.aclose()
            for worker in workers:
                worker.cancel()
    log.info("stopped")


async def _open_store(settings: Settings, stack: AsyncExitStack) -> Store:
    store = await SQLiteStore.open(settings.data_dir / "state.db") if settings.data_dir else MemoryStore()
    stack.push_async_callback(store.close)
    return store


async def _sealer(settings: Settings, store: Store) -> Sealer:
    """What seals private keys; a flag wins over the environment, and that over the data folder's own file."""
    if settings.data_dir is None:
        return Sealer.in_memory()
    if settings.encryption_key_file:
        return read_key_file(settings.encryption_key_file)
    if settings.encryption_key:
        return key_of_environment(settings.encryption_key)
    _, records = await store.list("ca/")
    return own_key_file(settings.data_dir, has_sealed=has_sealed_keys(record.key for record in records))


async def _load(folder: ConfigFolder | None, repository: Repository) -> None:
    """Load the config folder. With nothing good from before, what is wrong with it ends the server."""
    if folder is None:
        return
    _, records = await repository.store.list("")
    if any(record.origin.source is Source.FILE for record in records):
        await folder.reload()
    else:
        await folder.load()


def _say_what_to_expect(settings: Settings, parts: ServerParts) -> None:
    say_reach(settings, parts.tokens)
    log.info("calls that no intention decides", policy=str(settings.default_intention_policy))
    if settings.dns:
        log.warning("this listener is not built yet and stays off", flag="--dns-addr")
    log.info("ready", datacenter=settings.datacenter, dev=settings.dev)


def _now() -> datetime:
    return datetime.now(UTC)

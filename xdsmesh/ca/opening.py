"""How a server comes to its authority: what the store has, or on the first start what it makes.

Each step can be interrupted, and the next start goes on from there. What is damaged is never replaced.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import uuid4

import msgspec

from xdsmesh.ca import configuration as configurations
from xdsmesh.ca import stored
from xdsmesh.ca.authority import Authority, Root, Standing
from xdsmesh.ca.configuration import CONFIGURATION_KEY, Configuration
from xdsmesh.ca.primary import no_link
from xdsmesh.ca.provider import Around, Provider
from xdsmesh.ca.providers import make_provider
from xdsmesh.ca.renewal import new_intermediate
from xdsmesh.ca.sealing import Sealer
from xdsmesh.ca.stored import AUTHORITY_KEY, ORIGIN, TRUST_DOMAIN_KEY, damaged, trust_problem
from xdsmesh.ca.upgrade import PLAIN_ROOT_KEY, seal_plain_root
from xdsmesh.store.base import Conflict, Expect, Put, Record, Store, Txn

# SPIFFE-ID, section 2.1: https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md
_TRUST_DOMAIN: Final = re.compile(r"[a-z0-9._-]{1,255}")


@dataclass(frozen=True, slots=True)
class Opened:
    """What the store has: the authority, and its configuration."""

    authority: Authority
    configuration: Configuration


async def open_authority(
    store: Store,
    trust_domain: str | None,
    clock: Callable[[], datetime],
    sealer: Sealer,
    defaults: Configuration,
) -> Opened:
    """Load the authority; make it on the first start, and seal that of the first release.

    Raises:
        RefusedError: see `Issuer.open`.
    """
    wanted = _parse_trust_domain(trust_domain) if trust_domain else None
    while True:
        _, found = await store.list("ca/")
        records = {record.key: record for record in found}
        domain = _trust_domain(records, wanted)
        configuration = _configuration(records.get(CONFIGURATION_KEY), defaults, sealer)
        around = Around(store, sealer, domain or wanted or f"{uuid4()}.consul", clock, no_link)
        provider = make_provider(configuration, around)
        if domain and AUTHORITY_KEY in records:
            authority = stored.decode(records[AUTHORITY_KEY], domain, sealer)
            made = authority.created
            if not configuration.created:
                configuration = replace(configuration, created=made, modified=made)
            return Opened(authority, configuration)
        if domain:
            await seal_plain_root(store, domain, sealer)
        await _create(around, provider, configuration)  # whoever comes first: load theirs


async def _create(around: Around, provider: Provider, configuration: Configuration) -> None:
    root = Root.load(await provider.root(), Standing.ACTIVE)
    lifetime = configuration.intermediate_lifetime
    intermediate = await new_intermediate(provider, root, around.trust_domain, lifetime)
    authority = Authority.of(around.trust_domain, (root,), intermediate)
    puts = (
        Put(TRUST_DOMAIN_KEY, around.trust_domain.encode()),
        stored.put(authority, around.sealer),
    )
    txn = Txn(puts, deletes=(PLAIN_ROOT_KEY,), expects=(Expect(AUTHORITY_KEY, 0),))
    if isinstance(await around.store.commit(txn, ORIGIN), Conflict):
        await _forget_unless_used(around, provider, root)


async def _forget_unless_used(around: Around, provider: Provider, root: Root) -> None:
    """Another server was faster: ours is of no use, unless both have the same root."""
    record = await around.store.get(AUTHORITY_KEY)
    if record and root.certificate_pem not in stored.roots_of(record):
        await provider.forget(root.certificate_pem)


def _trust_domain(records: dict[str, Record], wanted: str | None) -> str | None:
    """The trust domain that the store has, or None before there is one."""
    if not records.keys() & {TRUST_DOMAIN_KEY, AUTHORITY_KEY, PLAIN_ROOT_KEY}:
        return None
    if TRUST_DOMAIN_KEY not in records:
        raise damaged("the trust domain of this mesh is missing")
    if not records.keys() & {AUTHORITY_KEY, PLAIN_ROOT_KEY}:
        raise damaged("the root of this mesh is missing")
    found = records[TRUST_DOMAIN_KEY].value.decode(errors="replace")
    if wanted not in (None, found):
        raise trust_problem(
            f"the trust domain is to be {wanted}, but this mesh was started as {found}, "
            "and its proxies trust only that",
            f"configure {found} or none, or start a new mesh with another data folder",
        )
    return found


def _configuration(record: Record | None, defaults: Configuration, sealer: Sealer) -> Configuration:
    try:
        return configurations.decode(record, sealer) if record else defaults
    except (ValueError, msgspec.MsgspecError) as error:
        raise damaged(f"the configuration of this mesh's CA is damaged: {error}") from error


def _parse_trust_domain(text: str) -> str:
    name = text.lower()
    if not _TRUST_DOMAIN.fullmatch(name):
        raise trust_problem(
            f"{text!r} is not a trust domain",
            "use at most 255 letters, digits, dots, hyphens and underscores, such as mesh.example.com",
        )
    return name

"""An intermediate that is due is renewed once the primary is heard; one that has expired heals by a join."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.key_file import own_key_file
from xdsmesh.ca.renewal import new_intermediate
from xdsmesh.store.sqlite import SQLiteStore

if TYPE_CHECKING:
    from tests.feature.joining.conftest import Datacenter

YEARS = timedelta(days=2 * 365)


async def age(primary: Path, secondary: Path, lifetime: timedelta) -> None:
    """Give a secondary an intermediate that the primary has certified two years ago."""

    def long_ago() -> datetime:
        return datetime.now(UTC) - YEARS

    stores = [await SQLiteStore.open(folder / "state.db") for folder in (primary, secondary)]
    sealers = [own_key_file(folder, has_sealed=True) for folder in (primary, secondary)]
    first, second = [
        await Issuer.open(store, None, long_ago, sealer)
        for store, sealer in zip(stores, sealers, strict=True)
    ]
    domain, root = first.authority.trust_domain, first.authority.active
    made = await new_intermediate(first.provider, root, domain, lifetime)
    await second.replace(second.authority.roots, made)
    for store in stores:
        await store.close()


def test_an_intermediate_that_has_expired_is_had_anew_without_a_restart(
    joined: tuple[Datacenter, Datacenter],
) -> None:
    primary, secondary = joined
    for each in joined:
        each.server.stop()
    asyncio.run(age(primary.folder, secondary.folder, timedelta(hours=1)))
    for each in joined:
        each.start()
    code, said = secondary.command("dc", "status")
    assert code == 1
    assert "join dc1 again, with a token of `xdsmesh dc token --datacenter dc2` there" in said
    code, said = secondary.join(primary.token(Datacenter="dc2"))
    assert code == 0, said
    (serving,) = secondary.server.events("serving federation")
    secondary.relay.target = int(serving["address"].rpartition(":")[2])
    primary.put("/v1/config", {"Kind": "service-defaults", "Name": "web", "Protocol": "http"})
    secondary.wait(lambda: "web" in str(secondary.get("/v1/config/service-defaults")), "it follows")
    primary.wait(lambda: primary.command("dc", "status")[0] == 0, "both links are up")


def test_an_intermediate_that_is_due_is_renewed_as_soon_as_the_primary_is_heard(
    joined: tuple[Datacenter, Datacenter],
) -> None:
    primary, secondary = joined
    for each in joined:
        each.server.stop()
    asyncio.run(age(primary.folder, secondary.folder, YEARS + timedelta(days=30)))
    secondary.start()
    assert secondary.server.events("the intermediate can't be renewed; trying again")
    primary.start()
    secondary.wait(lambda: secondary.server.events("the intermediate was renewed"), "it is renewed")
    lines = secondary.server.output().splitlines()
    assert all(line.startswith("{") for line in lines), "no library writes between the lines of the log"

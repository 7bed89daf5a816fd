"""Waiting for other datacenters: by what they report, and by who belongs to the mesh."""

import asyncio
from datetime import UTC, datetime

from xdsmesh.catalog.codec import encode_federated
from xdsmesh.model.facts import Batch, Fact
from xdsmesh.model.federation import Member, TrustReport
from xdsmesh.rotation.datacenters import Datacenters
from xdsmesh.rotation.report import DatacenterLag

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
MEMBERS = [Member("dc1", primary=True, joined_at=NOW), Member("dc2", primary=False, joined_at=NOW)]


def is_far(report: TrustReport) -> bool:
    return report.issuing == "new"


async def test_nobody_is_waited_for_where_nobody_has_joined() -> None:
    await asyncio.wait_for(Datacenters(list, lambda: NOW).until_all(is_far, lambda: True), 5)


async def test_a_report_that_it_is_as_far_ends_the_wait() -> None:
    datacenters = Datacenters(lambda: MEMBERS, lambda: NOW)
    waiting = asyncio.create_task(datacenters.until_all(is_far, lambda: True))
    assert datacenters.waiting(is_far) == (DatacenterLag("dc2", "has not said yet that it is as far"),)
    datacenters.take_report("dc2", b"no json")
    datacenters.take_report("dc2", encode_federated(TrustReport(issuing="old", waiting=("a: why", "b: why"))))
    assert datacenters.waiting(is_far) == (DatacenterLag("dc2", "a: why; b: why"),)
    await asyncio.sleep(0)
    assert not waiting.done()
    datacenters.take_report("dc2", encode_federated(TrustReport(issuing="new")))
    await asyncio.wait_for(waiting, 5)


async def test_who_is_not_heard_is_named_until_it_is_removed() -> None:
    members = list(MEMBERS)
    datacenters = Datacenters(lambda: members, lambda: NOW)
    datacenters.unheard_since = lambda _: NOW
    waiting = asyncio.create_task(datacenters.until_all(is_far, lambda: True))
    why = "not heard since 2030-01-01 12:00:00 UTC; `xdsmesh dc remove dc2` gives it up"
    assert datacenters.waiting(is_far) == (DatacenterLag("dc2", why),)
    members.pop()
    datacenters.take(Batch(1, (Fact(("member", "dc2"), None),)))
    await asyncio.wait_for(waiting, 5)


async def test_what_was_reported_before_a_datacenter_left_counts_no_more() -> None:
    datacenters = Datacenters(lambda: MEMBERS, lambda: NOW)
    datacenters.take_report("dc2", encode_federated(TrustReport(issuing="new")))
    assert not datacenters.waiting(is_far)
    datacenters.take(Batch(1, (Fact(("member", "dc2"), None),)))
    assert datacenters.waiting(is_far)


async def test_a_wait_ends_that_is_not_wanted_any_more() -> None:
    wanted = [True]
    datacenters = Datacenters(lambda: MEMBERS, lambda: NOW)
    waiting = asyncio.create_task(datacenters.until_all(is_far, lambda: wanted[0]))
    await asyncio.sleep(0)
    wanted[0] = False
    datacenters.look_again()
    await asyncio.wait_for(waiting, 5)

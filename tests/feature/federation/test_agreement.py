"""Whatever changes on both sides, and whenever they are cut off from one another: in the end they agree."""

import asyncio
import random

import pytest

from tests.feature.federation.conftest import Datacenter, Mesh, until_agreed

STEPS = 60
SERVICES = [f"service-{number}" for number in range(5)]
PORTS = [8001, 8002]


async def change(draw: random.Random, datacenter: Datacenter, *, primary: bool) -> None:
    """Something that a person or a check might do."""
    service, port = draw.choice(SERVICES), draw.choice(PORTS)
    kinds = ["register", "deregister", "health", *(["entry", "subset"] if primary else [])]
    match draw.choice(kinds):
        case "register":
            check = {"CheckID": f"{service}-{port}", "TTL": "600s", "Status": "passing"}
            await datacenter.register(service, port, Check=check, Meta={"version": str(port)})
        case "deregister":
            await datacenter.deregister_if_there(service, port)
        case "health":
            await datacenter.report(f"{service}-{port}", draw.choice(["passing", "critical"]))
        case "entry":
            await datacenter.write(**{service: draw.choice(["http", "tcp", None])})
        case "subset":
            filters = {"v1": {"Filter": f"Service.Meta.version == {draw.choice(PORTS)}"}}
            await datacenter.entry({"Kind": "service-resolver", "Name": service, "Subsets": filters})


@pytest.mark.parametrize("seed", range(4))
async def test_they_agree_after_random_changes_and_cuts(mesh: Mesh, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - not about secrets
    names = ["dc1", "dc2", "dc3"]
    for name in names:
        await mesh.start(name, keep=30)
    await mesh.federate(*names)
    for _ in range(STEPS):
        name = draw.choice(names)
        await change(draw, mesh[name], primary=name == "dc1")
        relay = mesh.relays[draw.choice(names)]
        match draw.randrange(12):
            case 0:
                relay.cut()
            case 1 | 2:
                relay.heal()
            case 3:
                await mesh.stop(name)
                await mesh.start(name, keep=30)
            case _:
                await asyncio.sleep(draw.uniform(0, 0.05))
    for relay in mesh.relays.values():
        relay.heal()
    await until_agreed(*(mesh[name] for name in names))

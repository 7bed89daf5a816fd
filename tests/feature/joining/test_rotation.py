"""The root of a mesh rotates across its datacenters: no stage is over before all of them are as far."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
from cryptography import x509

from tests.feature.rotation.conftest import Sidecar

if TYPE_CHECKING:
    from tests.feature.joining.conftest import Datacenter

STATUS = "/v1/xdsmesh/ca/status"


def stage(datacenter: Datacenter) -> str:
    found: str = datacenter.get(STATUS)["rotation"]["stage"]
    return found


def waited_for(datacenter: Datacenter) -> str:
    return "; ".join(f"{each['datacenter']}: {each['why']}" for each in datacenter.get(STATUS)["datacenters"])


def is_done(datacenter: Datacenter) -> bool:
    return stage(datacenter) == "done"


def test_the_secondary_comes_along(joined: tuple[Datacenter, Datacenter]) -> None:
    primary, secondary = joined
    old = primary.active_root
    code, said = primary.command("ca", "rotate")
    assert code == 0, said
    assert secondary.roots == primary.roots == {primary.active_root} != {old}
    certificates = x509.load_pem_x509_certificates(
        secondary.get("/v1/agent/connect/ca/leaf/web")["CertPEM"].encode()
    )
    (root,) = x509.load_pem_x509_certificates(
        primary.server.http.get("/v1/connect/ca/roots?pem=true").content
    )
    certificates[1].verify_directly_issued_by(root)
    code, said = secondary.command("ca", "rotate")
    assert (code, "ask the server of dc1" in said) == (1, True)
    answer = secondary.server.http.put("/v1/connect/ca/configuration", json={"Provider": "consul"})
    assert (answer.status_code, "ask the server of dc1" in answer.text) == (400, True)


def test_a_datacenter_that_is_not_heard_is_waited_for(joined: tuple[Datacenter, Datacenter]) -> None:
    primary, secondary = joined
    old = primary.active_root
    primary.relay.cut()
    secondary.relay.cut()
    primary.put("/v1/xdsmesh/ca/rotate")
    primary.wait(lambda: "dc2: not heard since" in waited_for(primary), "dc2 is waited for")
    assert stage(primary) == "trusting"
    code, said = primary.command("ca", "status")
    assert (code, "`xdsmesh dc remove dc2` gives it up" in said) == (0, True)
    assert primary.active_root == secondary.active_root == old
    primary.relay.heal()
    secondary.relay.heal()
    primary.wait(lambda: is_done(primary), "the rotation is done")
    assert secondary.roots == primary.roots == {primary.active_root} != {old}


def test_a_datacenter_that_is_removed_is_not_waited_for(joined: tuple[Datacenter, Datacenter]) -> None:
    primary, secondary = joined
    secondary.server.close()
    primary.put("/v1/xdsmesh/ca/rotate")
    primary.wait(lambda: "dc2: not heard since" in waited_for(primary), "dc2 is waited for")
    code, said = primary.command("dc", "remove", "dc2")
    assert (code, "rotate the root now (`xdsmesh ca rotate`)" in said) == (0, True), said
    primary.wait(lambda: is_done(primary), "the rotation is done")
    code, said = primary.command("dc", "remove", "dc2")
    assert (code, 'no datacenter "dc2" has joined (those that have: none)' in said) == (1, True)


async def test_a_proxy_elsewhere_that_does_not_answer_is_waited_for_and_named(
    joined: tuple[Datacenter, Datacenter],
) -> None:
    primary, secondary = joined
    sidecar = await connected(secondary)
    await sidecar.be(deaf_to=("roots",))
    await asyncio.to_thread(primary.put, "/v1/xdsmesh/ca/rotate")
    why = "dc2: web-1-sidecar-proxy: has not answered SDS"
    await asyncio.to_thread(primary.wait, lambda: why in waited_for(primary), "it is waited for")
    assert stage(primary) == "trusting"
    await sidecar.be(deaf_to=("leaf",))
    await asyncio.to_thread(primary.wait, lambda: stage(primary) == "issuing", "the roots are trusted")
    await asyncio.to_thread(primary.wait, lambda: why in waited_for(primary), "it is waited for again")
    assert len(secondary.roots) == 2
    await sidecar.be()
    await asyncio.to_thread(primary.wait, lambda: is_done(primary), "the rotation is done")
    (root,) = sidecar.roots
    sidecar.chain[1].verify_directly_issued_by(root)
    await sidecar.close()


async def test_proxies_change_over_to_the_mesh_that_is_joined(pair: tuple[Datacenter, Datacenter]) -> None:
    primary, secondary = pair
    before = await connected(secondary)
    own = secondary.trust_domain
    assert identity(before) == f"spiffe://{own}/ns/default/dc/dc2/svc/web"
    token = await asyncio.to_thread(primary.token)
    assert (await asyncio.to_thread(secondary.join, token))[0] == 0
    assert not secondary.server.events("no leaf could be issued; trying again")
    await asyncio.wait_for(before.ended(), 20)
    after = await connected(secondary)
    assert identity(after) == f"spiffe://{primary.trust_domain}/ns/default/dc/dc2/svc/web"
    assert secondary.get("/v1/xdsmesh/proxies")["connected"][0]["proxy"] == "web-1-sidecar-proxy"
    for each in (before, after):
        await each.close()


async def connected(datacenter: Datacenter) -> Sidecar:
    """A sidecar with what it needs."""
    body = {"Name": "web", "ID": "web-1", "Port": 80, "Connect": {"SidecarService": {}}}
    await asyncio.to_thread(datacenter.put, "/v1/agent/service/register", body)
    channel: Any = grpc.aio.insecure_channel(datacenter.server.xds)
    sidecar = Sidecar(channel, "web-1-sidecar-proxy")
    async with asyncio.timeout(20):
        while sidecar.held.keys() != {"leaf", "roots"}:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)
    return sidecar


def identity(sidecar: Sidecar) -> str:
    names = sidecar.chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    (found,) = names.get_values_for_type(x509.UniformResourceIdentifier)
    return found

"""A rotation of the root goes on as sidecars acknowledge it, and says for whom it waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cryptography import x509

if TYPE_CHECKING:
    from tests.feature.rotation.conftest import Server, Sidecar

ROOTS = "/v1/connect/ca/roots"
LEAF = "/v1/agent/connect/ca/leaf/web"
CONFIGURATION = "/v1/connect/ca/configuration"


def standings(shown: dict[str, Any]) -> list[str]:
    return [root["standing"] for root in shown["roots"]]


def verified(sidecar: Sidecar, root: x509.Certificate) -> None:
    """Its leaf is believed by whoever knows only this root, by what it shows with it."""
    chain = [*sidecar.chain, root]
    above = [each for each in chain[2:] if each.public_key() == root.public_key() or each.subject != root.subject]
    for certificate, authority in zip(chain[:2], (chain[1], above[0]), strict=True):
        certificate.verify_directly_issued_by(authority)
    above[0].verify_directly_issued_by(root)


async def test_every_stage_waits_for_its_acknowledgements(server: Server) -> None:
    web, db = await server.sidecar("web"), await server.sidecar("db")
    (old,) = web.roots
    first = (await server.status())["roots"][0]["id"]
    key = web.held["leaf"].tls_certificate.private_key.inline_string

    await db.now("")
    began = (await server.rotate()).json()
    assert began["rotation"]["stage"] == "trusting"
    shown = await server.at("trusting", "db")
    assert standings(shown) == ["active", "next"]
    assert "has not answered SDS, sent at " in shown["waiting"][0]["why"]
    assert len(web.roots) == 2
    assert web.held["leaf"].tls_certificate.private_key.inline_string == key, "no leaf before all trust its root"

    async def changed() -> bool:
        return web.held["leaf"].tls_certificate.private_key.inline_string != key

    await db.now("ack")
    await asyncio.sleep(0)
    done = await server.at("done")
    assert standings(done) == ["active"]
    assert done["rotation"]["old_root"] == first
    assert done["rotation"]["new_root"] == done["roots"][0]["id"] != first
    assert done["rotation"]["ended"] > done["rotation"]["began"]
    assert [each["stage"] for each in done["rotation"]["stages"]] == ["trusting", "issuing", "retiring"]
    for sidecar in (web, db):
        (new,) = sidecar.roots
        assert new != old
        assert len(sidecar.chain) == 3, "leaf, intermediate, and the new root by the old one"
        sidecar.chain[1].verify_directly_issued_by(new)
        sidecar.chain[2].verify_directly_issued_by(old)

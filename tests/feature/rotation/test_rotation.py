"""A rotation of the root goes on as sidecars acknowledge it, and says for whom it waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from tests.feature.rotation.conftest import until
from xdsmesh.ca.stored import ORIGIN
from xdsmesh.model.resource import CLUSTER
from xdsmesh.store.base import Put, Txn

if TYPE_CHECKING:
    import httpx

    from tests.feature.rotation.conftest import Server, Sidecar

ROOTS = "/v1/connect/ca/roots"
LEAF = "/v1/agent/connect/ca/leaf/web"
CONFIGURATION = "/v1/connect/ca/configuration"
STATUS = "/v1/xdsmesh/ca/status"


def standings(shown: dict[str, Any]) -> list[str]:
    return [root["standing"] for root in shown["roots"]]


def key(sidecar: Sidecar) -> str:
    return str(sidecar.held["leaf"].tls_certificate.private_key.inline_string)


def index_of(answer: httpx.Response) -> int:
    return int(answer.headers["X-Consul-Index"])


async def waits(server: Server, answer: httpx.Response, path: str) -> asyncio.Task[httpx.Response]:
    """A request for what comes after an answer, once it is held."""
    before = server.parts.queries.waiting
    request = server.api.get(f"{path}?index={index_of(answer)}&wait=60s")
    waiter = asyncio.create_task(request)

    async def held() -> bool:
        return server.parts.queries.waiting > before

    await until(held)
    return waiter


async def test_every_stage_waits_until_all_have_acknowledged_it(server: Server) -> None:
    web, db = await server.sidecar("web"), await server.sidecar("db")
    (old,), before = web.roots, key(web)
    first = (await server.status())["roots"][0]["id"]

    await db.be(deaf_to=("roots",))
    began = await server.rotate()
    assert (began.status_code, began.json()["rotation"]["stage"]) == (200, "trusting")
    shown = await server.at("trusting", "db")
    assert standings(shown) == ["active", "next"]
    assert "has not answered SDS, sent at " in shown["waiting"][0]["why"]
    assert key(web) == before, "nobody shows what is not trusted by all"
    assert len(web.roots) == 2

    await db.be(deaf_to=("leaf",))
    shown = await server.at("issuing", "db")
    assert standings(shown) == ["active", "retiring"]
    assert len(web.roots) == 2, "the old root is trusted while anybody has a leaf of it"
    assert key(web) != before
    leaf, intermediate, crossed = web.chain
    (new,) = (root for root in web.roots if root != old)
    leaf.verify_directly_issued_by(intermediate)
    intermediate.verify_directly_issued_by(new)
    crossed.verify_directly_issued_by(old)
    assert crossed.public_key() == new.public_key()

    await db.be(deaf_to=("roots",))
    shown = await server.at("retiring", "db")
    assert standings(shown) == ["active"]
    assert web.roots == [new]

    await db.be()
    done = await server.at("done")
    assert db.roots == [new]
    assert done["rotation"]["old_root"] == first
    assert done["rotation"]["new_root"] == done["roots"][0]["id"] != first
    assert done["rotation"]["began"] < done["rotation"]["ended"]
    assert [each["stage"] for each in done["rotation"]["stages"]] == ["trusting", "issuing", "retiring"]
    _, root_keys = await server.parts.repository.store.list("ca/root-keys/")
    assert len(root_keys) == 1, "the key of the old root is destroyed"


async def test_who_rejects_a_secret_is_named_with_its_own_words(server: Server) -> None:
    web = await server.sidecar("web")
    await web.be(nacks=True)
    await server.rotate()
    shown = await server.at("trusting", "web")
    await until(lambda: _is_told(server, "rejected SDS (roots): no such root"))
    assert standings(shown) == ["active", "next"]
    await web.close()
    await server.at("done")


async def _is_told(server: Server, *whys: str) -> bool:
    waiting = (await server.status())["waiting"]
    return len(waiting) == len(whys) and all(
        each["why"].startswith(why) for each, why in zip(waiting, whys, strict=True)
    )


@pytest.mark.parametrize("deaf_to", ["roots", "leaf"])
async def test_who_leaves_is_not_waited_for_long_and_who_comes_is(server: Server, deaf_to: str) -> None:
    web = await server.sidecar("web")
    await web.be(deaf_to=(deaf_to,))
    await server.rotate()
    stage = "trusting" if deaf_to == "roots" else "issuing"
    await server.at(stage, "web")
    await until(
        lambda: _is_told(server, "has not answered SDS, sent at ")
    )  # else the next write waits for it

    await server.register("db")
    db = server.connect("db-1-sidecar-proxy")
    await db.be(deaf_to=("roots", "leaf"))
    await server.at(stage, "db", "web")
    await web.close()
    await until(lambda: _is_told(server, "has not answered SDS, sent at ", "has just disconnected"))
    shown = await server.at(stage, "db")
    assert shown["unconnected"] == ["web-1-sidecar-proxy"]
    await db.be()
    await server.at("done")
    assert len(db.roots) == 1
    db.chain[1].verify_directly_issued_by(db.roots[0])


async def test_who_is_deregistered_is_not_waited_for(server: Server) -> None:
    web = await server.sidecar("web")
    await web.be(deaf_to=("roots",))
    await server.rotate()
    await server.at("trusting", "web")
    await server.api.put("/v1/agent/service/deregister/web-1")
    assert (await server.at("done"))["unconnected"] == []


async def test_who_asks_for_no_secrets_is_not_waited_for_unless_it_is_silent(server: Server) -> None:
    await server.register("web")
    web = server.connect("web-1-sidecar-proxy", CLUSTER)
    await web.be(deaf_to=("local_app",))
    await until(lambda: _has_stream(server))
    await server.rotate()
    shown = await server.at("trusting", "web")
    assert shown["waiting"][0]["why"] == "has not answered CDS"
    await web.be()
    await server.at("done")


async def _has_stream(server: Server) -> bool:
    return bool(server.parts.registry.all())


async def test_one_rotation_at_a_time(server: Server) -> None:
    web = await server.sidecar("web")
    await web.be(deaf_to=("roots",))
    answers = await asyncio.gather(server.rotate(), server.rotate(), server.rotate())
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    shown = await server.at("trusting", "web")
    assert len(shown["roots"]) == 2
    refused = await server.rotate()
    assert refused.status_code == 409
    assert "is under way since" in refused.text
    assert "`xdsmesh ca status`" in refused.text
    configured = (await server.api.get(CONFIGURATION)).json()
    configured["Config"] |= {"PrivateKeyType": "rsa", "PrivateKeyBits": 2048}
    assert (await server.api.put(CONFIGURATION, json=configured)).status_code == 409
    await web.be()
    await server.at("done")
    assert (await server.rotate()).status_code == 200
    await server.at("done")


async def test_another_kind_of_key_is_that_of_a_new_root(server: Server) -> None:
    web = await server.sidecar("web")
    configured = (await server.api.get(CONFIGURATION)).json()
    configured["Config"] |= {"PrivateKeyType": "rsa", "PrivateKeyBits": 2048, "RootCertTTL": "43800h"}
    answer = await server.api.put(CONFIGURATION, json=configured)
    assert (answer.status_code, answer.content) == (200, b"")
    shown = await server.at("done")
    assert shown["roots"][0]["key"] == "rsa 2048"
    assert shown["rotation"]["by"] == "127.0.0.1"
    (root,) = web.roots
    assert (root.not_valid_after_utc - root.not_valid_before_utc).days == 43800 // 24
    assert (await server.api.get(CONFIGURATION)).json()["Config"] == configured["Config"]


async def test_callers_of_the_api_wake_with_the_stages(server: Server) -> None:
    web = await server.sidecar("web")
    await web.be(deaf_to=("roots",))
    known = {path: await server.api.get(path) for path in (ROOTS, LEAF, STATUS)}
    waiters = {path: await waits(server, answer, path) for path, answer in known.items()}
    await server.rotate()
    assert len((await asyncio.wait_for(waiters[ROOTS], 5)).json()["Roots"]) == 2
    assert (await asyncio.wait_for(waiters[STATUS], 5)).json()["rotation"]["stage"] == "trusting"
    assert not waiters[LEAF].done(), "its leaf is good still"

    last = await waits(server, await server.api.get(STATUS), STATUS)
    await web.be(deaf_to=("leaf",))
    leaf = (await asyncio.wait_for(waiters[LEAF], 5)).json()
    assert leaf["PrivateKeyPEM"] != known[LEAF].json()["PrivateKeyPEM"]
    chain = x509.load_pem_x509_certificates(leaf["CertPEM"].encode())
    assert len(chain) == 3
    assert (await asyncio.wait_for(last, 5)).json()["rotation"]["stage"] == "issuing"
    last = await waits(server, await server.api.get(STATUS), STATUS)
    await web.be()
    assert (await asyncio.wait_for(last, 5)).json()["rotation"]["stage"] == "retiring"
    assert (await server.at("done"))["rotation"]["ended"]


async def test_a_rotation_is_taken_back_while_nobody_has_a_leaf_of_the_new_root(server: Server) -> None:
    web = await server.sidecar("web")
    (old,), before = web.roots, key(web)
    assert (await abort(server)).status_code == 409
    configured = (await server.api.get(CONFIGURATION)).json()
    wanted = {**configured, "Config": configured["Config"] | {"PrivateKeyType": "ec", "PrivateKeyBits": 384}}
    await web.be(deaf_to=("roots",))
    assert (await server.api.put(CONFIGURATION, json=wanted)).status_code == 200
    await server.at("trusting", "web")
    aborted = await abort(server)
    assert aborted.status_code == 200
    assert aborted.json()["rotation"]["stage"] == "aborted"
    assert standings(aborted.json()) == ["active"]
    assert (await server.api.get(CONFIGURATION)).json()["Config"] == configured["Config"]
    _, root_keys = await server.parts.repository.store.list("ca/root-keys/")
    assert len(root_keys) == 1
    await web.be()

    async def as_before() -> bool:
        return web.roots == [old]

    await until(as_before)
    assert key(web) == before

    await web.be(deaf_to=("leaf",))
    assert (await server.rotate()).status_code == 200
    await server.at("issuing", "web")
    refused = await abort(server)
    assert refused.status_code == 409
    assert "is issuing already, and can only go on" in refused.text
    await web.be()
    await server.at("done")


async def abort(server: Server) -> httpx.Response:
    return await server.api.put("/v1/xdsmesh/ca/rotate?abort=true")


async def test_what_hinders_the_server_itself_is_told_and_tried_again(server: Server) -> None:
    web = await server.sidecar("web")
    await web.be(deaf_to=("roots",))
    await server.rotate()
    await server.at("trusting", "web")
    store = server.parts.repository.store
    _, (_, key_of_new) = await store.list("ca/root-keys/")
    await store.commit(Txn(deletes=(key_of_new.key,)), ORIGIN)
    await web.be()

    async def hindered() -> bool:
        return "the store does not have the key" in (await server.status())["rotation"]["hindrance"]

    await until(hindered)
    assert standings(await server.status()) == ["active", "next"]
    await store.commit(Txn((Put(key_of_new.key, key_of_new.value),)), ORIGIN)
    assert (await server.at("done"))["rotation"]["hindrance"] == ""

"""The root of the mesh, leaves for services, and how they are made."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from structlog.testing import capture_logs

from xdsmesh.api.queries import Queries
from xdsmesh.api.serve import HttpServer
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.leaves import Leaves
from xdsmesh.ca.sealing import Sealer
from xdsmesh.store.base import Store
from xdsmesh.store.memory import MemoryStore
from xdsmesh.store.sqlite import SQLiteStore

Held = Callable[..., Awaitable[None]]

ROOTS = "/v1/connect/ca/roots"
CONFIGURATION = "/v1/connect/ca/configuration"
LEAF = "/v1/agent/connect/ca/leaf/web"
AUTHORIZE = "/v1/agent/connect/authorize"
WEB = "spiffe://corp.consul/ns/default/dc/dc1/svc/web"
COLON_HEX = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2})+")


def index_of(answer: httpx.Response) -> int:
    return int(answer.headers["X-Consul-Index"])


def expiry(leaf: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(leaf["ValidBefore"])


async def test_the_root_is_shown_with_all_that_there_is_to_know(api: httpx.AsyncClient) -> None:
    answer = await api.get(f"{ROOTS}?pem=0")
    shown = answer.json()
    (root,) = shown["Roots"]
    certificate = x509.load_pem_x509_certificate(root["RootCert"].encode())

    assert (shown["TrustDomain"], shown["ActiveRootID"]) == ("corp.consul", root["ID"])
    assert COLON_HEX.fullmatch(root["ID"])
    assert COLON_HEX.fullmatch(root["SigningKeyID"])
    assert datetime.fromisoformat(root["NotAfter"]) == certificate.not_valid_after_utc
    assert root["SerialNumber"] == certificate.serial_number % 2**64
    expected = {
        "ExternalTrustDomain": "corp",
        "Active": True,
        "PrivateKeyType": "ec",
        "PrivateKeyBits": 256,
    }
    assert {key: root[key] for key in expected} == expected
    (pem,) = root["IntermediateCerts"]
    intermediate = x509.load_pem_x509_certificate(pem.encode())
    intermediate.verify_directly_issued_by(certificate)
    signing = intermediate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert root["SigningKeyID"] == signing.hex(":")
    assert index_of(answer) == root["ModifyIndex"] == root["CreateIndex"]
    assert (await api.get("/v1/agent/connect/ca/roots")).json() == shown


async def test_the_root_can_be_had_as_text(api: httpx.AsyncClient) -> None:
    answer = await api.get(f"{ROOTS}?pem=True")
    assert answer.headers["Content-Type"] == "application/pem-certificate-chain"
    assert answer.text == (await api.get(ROOTS)).json()["Roots"][0]["RootCert"]
    refused = await api.get(f"{ROOTS}?pem=yes")
    assert (refused.status_code, "pem" in refused.text) == (400, True)


async def test_who_has_the_root_waits(api: httpx.AsyncClient, held: Held, queries: Queries) -> None:
    known = await api.get(ROOTS)
    waiter = asyncio.create_task(api.get(f"{ROOTS}?index={index_of(known)}&wait=60s"))
    await held()
    queries.close()
    assert (await asyncio.wait_for(waiter, 5)).json() == known.json()


async def test_who_has_the_root_is_told_of_another_intermediate(
    api: httpx.AsyncClient, held: Held, issuer: Issuer
) -> None:
    known = await api.get(ROOTS)
    waiters = [
        asyncio.create_task(api.get(f"{path}?index={index_of(known)}&wait=60s"))
        for path in (ROOTS, "/v1/agent/connect/ca/roots")
    ]
    await held(2)
    await issuer.renew()
    for woken in [await asyncio.wait_for(waiter, 5) for waiter in waiters]:
        assert index_of(woken) > index_of(known)
        (old,), (new,) = known.json()["Roots"], woken.json()["Roots"]
        assert (new["ID"], new["RootCert"]) == (old["ID"], old["RootCert"])
        assert new["IntermediateCerts"] != old["IntermediateCerts"]


@pytest.mark.parametrize("pick", [lambda low, _: low])
@pytest.mark.usefixtures("pick")
async def test_who_has_a_leaf_gets_one_of_another_intermediate(
    api: httpx.AsyncClient, held: Held, issuer: Issuer
) -> None:
    known = await api.get(LEAF)
    waiter = asyncio.create_task(api.get(f"{LEAF}?index={index_of(known)}&wait=60s"))
    await held()
    await issuer.renew()
    woken = await asyncio.wait_for(waiter, 5)
    assert index_of(woken) > index_of(known)
    assert issuer.authority.intermediate.certificate_pem in woken.json()["CertPEM"]


async def test_who_has_gone_is_not_waited_for(api: httpx.AsyncClient, held: Held) -> None:
    known = await api.get(ROOTS)
    waiter = asyncio.create_task(api.get(f"{ROOTS}?index={index_of(known)}&wait=60s"))
    await held()
    waiter.cancel()
    await held(0)
    assert (await api.get(ROOTS)).json() == known.json()


async def test_a_leaf_is_what_a_sidecar_shows(api: httpx.AsyncClient) -> None:
    with capture_logs() as logs:
        answer = await api.get(LEAF)
    leaf = answer.json()
    certificate, intermediate = x509.load_pem_x509_certificates(leaf["CertPEM"].encode())
    root = x509.load_pem_x509_certificate((await api.get(f"{ROOTS}?pem=1")).content)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    key = serialization.load_pem_private_key(leaf["PrivateKeyPEM"].encode(), None)

    certificate.verify_directly_issued_by(intermediate)
    intermediate.verify_directly_issued_by(root)
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [WEB] == [leaf["ServiceURI"]]
    assert leaf["Service"] == "web"
    assert leaf["PrivateKeyPEM"].startswith("-----BEGIN EC PRIVATE KEY-----")
    assert key.public_key() == certificate.public_key()
    assert int(leaf["SerialNumber"].replace(":", ""), 16) == certificate.serial_number
    assert datetime.fromisoformat(leaf["ValidAfter"]) == certificate.not_valid_before_utc
    assert expiry(leaf) == certificate.not_valid_after_utc
    assert index_of(answer) == leaf["ModifyIndex"]
    assert "PRIVATE KEY" not in str(logs)


async def test_a_leaf_stays_the_same_and_each_service_has_its_own(api: httpx.AsyncClient) -> None:
    first, again = await api.get(LEAF), await api.get(LEAF)
    assert first.json() == again.json()
    assert [each.headers["X-Cache"] for each in (first, again)] == ["MISS", "HIT"]
    together = await asyncio.gather(*(api.get("/v1/agent/connect/ca/leaf/db") for _ in range(5)))
    assert len({each.text for each in together}) == 1
    assert together[0].json()["SerialNumber"] != first.json()["SerialNumber"]


async def test_no_leaf_is_made_for_what_is_no_service(api: httpx.AsyncClient) -> None:
    for name in ("", "we*b", "a/b", "%20"):
        answer = await api.get(f"/v1/agent/connect/ca/leaf/{name}")
        assert (answer.status_code, "ervice" in answer.text) == (400, True)


HALF_A_SECOND = 0.5 / timedelta(hours=72).total_seconds()
"""As a part of a leaf's life."""


@pytest.mark.parametrize("pick", [lambda *_: HALF_A_SECOND])
@pytest.mark.usefixtures("pick")
async def test_who_has_a_leaf_waits_for_the_next_one(api: httpx.AsyncClient) -> None:
    known = await api.get(LEAF)
    woken = await asyncio.wait_for(api.get(f"{LEAF}?index={index_of(known)}&wait=60s"), 15)
    assert index_of(woken) > index_of(known)
    assert woken.json()["SerialNumber"] != known.json()["SerialNumber"]
    assert woken.headers["X-Cache"] == "MISS"


async def test_a_wait_for_a_leaf_ends(
    api: httpx.AsyncClient, held: Held, queries: Queries, server: tuple[HttpServer, int]
) -> None:
    known = await api.get(LEAF)
    over = await api.get(f"{LEAF}?index={index_of(known)}&wait=50ms")
    assert (over.json(), index_of(over)) == (known.json(), index_of(known))
    waiter = asyncio.create_task(api.get(f"{LEAF}?index={index_of(known)}&wait=60s"))
    await held()
    queries.close()
    await server[0].stop()
    assert (await asyncio.wait_for(waiter, 5)).json() == known.json()


async def test_the_index_of_a_leaf_grows_over_a_restart(tmp_path: Path) -> None:
    revisions = []
    sealer = Sealer.in_memory()
    for _ in range(3):
        store = await SQLiteStore.open(tmp_path / "db")
        revisions.append((await leaf_of(store, sealer)).revision)
        await store.close()
    assert revisions == sorted(set(revisions))


async def leaf_of(store: Store, sealer: Sealer) -> Any:
    issuer = await Issuer.open(store, None, lambda: datetime.now(UTC), sealer)
    leaves = Leaves(issuer, store, "dc1", lambda: datetime.now(UTC), random.uniform)
    return (await leaves.get("web"))[0]


async def test_the_configuration_can_be_put_back(api: httpx.AsyncClient) -> None:
    shown = await api.get(CONFIGURATION)
    assert shown.json() == {
        "Provider": "consul",
        "Config": {
            "LeafCertTTL": "72h",
            "IntermediateCertTTL": "8760h",
            "RootCertTTL": "87600h",
            "PrivateKeyType": "ec",
            "PrivateKeyBits": 256,
        },
        "State": None,
        "ForceWithoutCrossSigning": False,
        "CreateIndex": 2,
        "ModifyIndex": 2,
    }
    answer = await api.put(CONFIGURATION, json=shown.json())
    assert (answer.status_code, answer.content) == (200, b"")


async def test_a_shorter_life_is_that_of_the_leaves_from_then_on_and_after_a_restart(
    api: httpx.AsyncClient, store: MemoryStore, sealer: Sealer
) -> None:
    before = (await api.get(LEAF)).json()
    body = {"Provider": "consul", "Config": {"LeafCertTTL": "1h30m"}}
    assert (await api.put(CONFIGURATION, json=body)).status_code == 200
    shown = (await api.get(CONFIGURATION)).json()
    assert shown["Config"]["LeafCertTTL"] == "1h30m"
    assert shown["ModifyIndex"] > 2
    assert (await api.get(LEAF)).json() == before
    after = (await api.get("/v1/agent/connect/ca/leaf/db")).json()
    assert (
        expiry(after) - datetime.now(UTC)
        <= timedelta(hours=1, minutes=30)
        < expiry(before) - datetime.now(UTC)
    )
    restarted = await Issuer.open(store, None, lambda: datetime.now(UTC), sealer)
    assert restarted.configuration.leaf_lifetime == timedelta(hours=1, minutes=30)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, ["Provider is required"]),
        (
            {"Provider": "vault", "Config": {"LeafCertTTL": "59m", "RootCertTTL": "1h"}},
            [
                "Config.Address: XM",
                "Config.RootPKIPath: XM",
                "Config.LeafCertTTL: XM0307",
                "Config.RootCertTTL: XM0307",
            ],
        ),
        (
            {"Provider": "consul", "Config": {"LeafCertTTL": "2h", "IntermediateCertTTL": "5h"}},
            ["Config.IntermediateCertTTL: XM0307 IntermediateCertTTL can't be 5h (write at least 6h"],
        ),
        (
            {"Provider": "consul", "Config": {"LeafCertTTL": "1h", "IntermediateCertTTL": "2h59m"}},
            ["write at least 3h"],
        ),
        ({"Provider": "consul", "Config": {"LeafCertTTL": "8760h"}}, ["write at least 26280h"]),
        (
            {"Provider": "consul", "Config": {"PrivateKeyType": "dsa", "PrivateKeyBits": 7}},
            ["Config.PrivateKeyType: XM0303"],
        ),
        (
            {"Provider": "consul", "Config": {"PrivateKeyType": "rsa", "PrivateKeyBits": 1024}},
            ["PrivateKeyBits can't be 1024 for rsa (use one of 2048, 4096)"],
        ),
        ({"Provider": "consul", "Config": {"LeafCertTTL": "8761h"}}, ["write from 1h to 8760h"]),
        ({"Provider": "consul", "Config": {"PrivateKey": "hunter2"}}, ["Config.PrivateKey"]),
        ({"Provider": "consul", "Config": {"PrivateKeyBits": 384}}, ["add PrivateKeyType"]),
        ({"Provider": "consul", "Config": {"LeafTTL": "1h"}}, ["did you mean LeafCertTTL?"]),
    ],
)
async def test_a_wrong_configuration_is_refused(
    api: httpx.AsyncClient, body: dict[str, Any], told: list[str]
) -> None:
    before = (await api.get(CONFIGURATION)).json()
    answer = await api.put(CONFIGURATION, json=body)
    assert answer.status_code == 400
    assert [text for text in told if text not in answer.text] == []
    assert "hunter2" not in answer.text
    assert (await api.get(CONFIGURATION)).json() == before


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_connection_is_authorized_by_intentions(api: httpx.AsyncClient, method: str) -> None:
    async def ask(target: str) -> dict[str, Any]:
        body = {"Target": target, "ClientCertURI": WEB, "ClientCertSerial": "01:02"}
        return dict((await api.request(method, AUTHORIZE, json=body)).json())

    assert await ask("db") == {"Authorized": True, "Reason": "Default intention policy: allow"}
    await api.put("/v1/connect/intentions/exact?source=*&destination=db", json={"Action": "deny"})
    assert await ask("db") == {"Authorized": False, "Reason": "Matched intention: * => db (deny)"}
    await api.put("/v1/config", json={"Kind": "service-defaults", "Name": "api", "Protocol": "http"})
    permissions = [{"Action": "allow", "HTTP": {"PathPrefix": "/"}}]
    exact = "/v1/connect/intentions/exact?source=web&destination=api"
    await api.put(exact, json={"Permissions": permissions})
    assert await ask("api") == {"Authorized": False, "Reason": "Matched intention: web => api (1 permission)"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"ClientCertURI": WEB}, "Target service must be specified"),
        ({"Target": "db", "ClientCertURI": "https://corp"}, "ClientCertURI not a valid Service identifier"),
        ({"Target": "db", "ClientCertURI": "spiffe://corp.consul"}, "not a valid Service identifier"),
        ({"Target": "db", "ClientCertUri": WEB, "Serial": "1"}, "unknown key Serial"),
    ],
)
async def test_questions_that_are_none_are_refused(
    api: httpx.AsyncClient, body: dict[str, Any], told: str
) -> None:
    answer = await api.post(AUTHORIZE, json=body)
    assert answer.status_code == 400
    assert told in answer.text

"""The configuration of a CA with Vault, as the HTTP API takes and shows it."""

from __future__ import annotations

import random
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from structlog.testing import capture_logs

from xdsmesh.api.about import About
from xdsmesh.api.serve import HttpServer
from xdsmesh.ca.configuration import VAULT, Configuration, VaultSettings, put
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.sealing import Sealer
from xdsmesh.model.catalog import Node
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Txn
from xdsmesh.store.memory import MemoryStore

if TYPE_CHECKING:
    from tests.conftest import AtWork
    from tests.feature.vault.conftest import Vault

TOKEN = "hvs.a-secret-of-the-mesh"
CONFIGURATION = "/v1/connect/ca/configuration"


@pytest.fixture
async def api(at_work: AtWork, vault: Vault) -> AsyncIterator[httpx.AsyncClient]:
    store, sealer, node = MemoryStore(), Sealer.in_memory(), Node("n1", "127.0.0.1", "dc1")
    configured = Configuration(provider=VAULT, vault=VaultSettings(vault.address, "roots", token=TOKEN))
    await store.commit(Txn((put(configured, sealer),)), Origin(Source.API, "somebody"))
    issuer = await Issuer.open(store, "corp.consul", lambda: datetime.now(UTC), sealer)
    async with at_work(store, node, issuer, random.uniform) as parts:
        about = About("0.1.0", node, "corp.consul", xds_port=18502, envoy_versions=("1.40.0",))
        server = HttpServer(parts.app(about))
        port = await server.start("127.0.0.1", 0)
        unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=unused, timeout=20
        ) as client:
            yield client
        parts.close()
        await server.stop()


async def shown(api: httpx.AsyncClient) -> dict[str, Any]:
    answer: dict[str, Any] = (await api.get(CONFIGURATION)).json()
    return answer


async def test_all_is_shown_but_the_token(api: httpx.AsyncClient, vault: Vault) -> None:
    answer = await api.get(CONFIGURATION)
    assert TOKEN not in answer.text
    body = answer.json()
    assert (body["Provider"], body["Config"]["Address"]) == ("vault", vault.address)
    assert (body["Config"]["RootPKIPath"], body["Config"]["LeafCertTTL"]) == ("roots", "72h")


async def test_what_is_shown_can_be_sent_back_and_the_token_stays(
    api: httpx.AsyncClient, vault: Vault
) -> None:
    body = await shown(api)
    body["Config"]["IntermediateCertTTL"] = "400h"
    with capture_logs() as log:
        answer = await api.put(CONFIGURATION, json=body)
    assert (answer.status_code, answer.text) == (200, "")
    assert (await shown(api))["Config"]["IntermediateCertTTL"] == "400h"
    assert vault.asked[-1] == "POST roots/root/sign-intermediate", "with the token that was there"
    assert TOKEN not in str(log)


async def test_a_token_that_vault_does_not_know_changes_nothing(api: httpx.AsyncClient, vault: Vault) -> None:
    before = await shown(api)
    body = await shown(api)
    body["Config"] |= {"Token": "hvs.wrong", "LeafCertTTL": "24h"}
    answer = await api.put(CONFIGURATION, json=body)
    assert answer.status_code == 400
    assert vault.address in answer.text
    assert "permission denied" in answer.text
    assert "hvs.wrong" not in answer.text
    assert await shown(api) == before


async def test_all_that_is_wrong_is_told_at_once_and_never_the_token(api: httpx.AsyncClient) -> None:
    config = {
        "Address": "vault:8200",
        "Token": "two words",
        "CAFile": "/a.pem",
        "CAPath": "/certs",
        "LeafCertTTL": "1m",
    }
    answer = await api.put(CONFIGURATION, json={"Provider": "vault", "Config": config})
    assert answer.status_code == 400
    for told in (
        "Address",
        "Token is not one",
        "RootPKIPath is required",
        "CAFile and CAPath exclude",
        "LeafCertTTL",
    ):
        assert told in answer.text
    assert "two words" not in answer.text


async def test_a_key_that_is_misspelled_is_told_with_the_right_one(api: httpx.AsyncClient) -> None:
    body = {"Provider": "vault", "Config": {"Address": "http://127.0.0.1:8200", "RootPKIPaht": "roots"}}
    answer = await api.put(CONFIGURATION, json=body)
    assert (answer.status_code, "did you mean RootPKIPath?" in answer.text) == (400, True)


async def test_settings_of_vault_mean_nothing_to_the_builtin_provider(api: httpx.AsyncClient) -> None:
    body = {"Provider": "consul", "Config": {"Address": "http://127.0.0.1:8200"}}
    answer = await api.put(CONFIGURATION, json=body)
    assert answer.status_code == 400
    assert "Address is a setting of another provider" in answer.text


async def test_a_provider_that_is_not_known_is_refused_with_those_that_are(api: httpx.AsyncClient) -> None:
    answer = await api.put(CONFIGURATION, json={"Provider": "aws-pca"})
    assert answer.status_code == 400
    assert "use one of consul, vault" in answer.text

"""Config entries change under load: no request fails, and connections that exist follow every change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from xdsmesh.demo.load import Load, failures

if TYPE_CHECKING:
    from tests.envoy.conftest import Mesh

pytestmark = pytest.mark.envoy


def entry(kind: str, name: str, fields: str) -> str:
    return f'Kind = "{kind}"\nName = "{name}"\n{fields}\n'


def resolver(name: str, fields: str) -> str:
    return entry("service-resolver", name, fields)


V1 = "Service.Meta.version == 1"
STRICT = """
Kind = "mesh"
ValidateClusters = true
TLS { Incoming { TLSMinVersion = "TLSv1_3" } }
"""
EDITS: tuple[tuple[dict[str, str | None], set[str]], ...] = (
    ({"mesh.hcl": STRICT}, {"web"}),
    ({"admin-splitter.hcl": None, "admin-resolver.hcl": None, "web-router.hcl": None}, {"web"}),
    (
        {"new.hcl": entry("service-router", "web", 'Routes = [{ Destination { Service = "admin" } }]')},
        {"admin"},
    ),
    ({"new.hcl": None}, {"web"}),
    ({"new.hcl": resolver("web", 'Redirect { Service = "admin" }')}, {"admin"}),
    (
        {"subset.hcl": resolver("admin", f'DefaultSubset = "a"\nSubsets = {{ a = {{ Filter = "{V1}" }} }}')},
        {"admin"},
    ),
    (
        {"subset.hcl": resolver("admin", f'DefaultSubset = "b"\nSubsets = {{ b = {{ Filter = "{V1}" }} }}')},
        {"admin"},
    ),
    ({"new.hcl": None}, {"web"}),
    (
        {"new.hcl": entry("service-splitter", "web", 'Splits = [{ Weight = 100, Service = "admin" }]')},
        {"admin"},
    ),
    (
        {
            "new.hcl": resolver(
                "web", 'LoadBalancer { Policy = "maglev", HashPolicies = [{ SourceIP = true }] }'
            )
        },
        {"web"},
    ),
    ({"new.hcl": resolver("web", 'LoadBalancer { Policy = "least_request" }')}, {"web"}),
    ({"new.hcl": None}, {"web"}),
    (
        {
            "new.hcl": entry(
                "service-defaults", "client", "UpstreamConfig { Defaults { ConnectTimeoutMs = 700 } }"
            )
        },
        {"web"},
    ),
    (
        {
            "new.hcl": entry(
                "service-defaults", "client", "UpstreamConfig { Defaults { Limits { MaxConnections = 99 } } }"
            )
        },
        {"web"},
    ),
    ({"new.hcl": None}, {"web"}),
)


async def test_every_change_holds_for_connections_that_exist_and_fails_no_request(mesh: Mesh) -> None:
    load = Load(mesh.client, "/x")
    async with load:
        for files, who in EDITS:
            await mesh.change(files)
            answers = await mesh.answers(load, 60)
            assert {answer.service for answer in answers} == who, files
    assert failures(load.answers) == {}

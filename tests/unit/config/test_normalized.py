"""What the newer kinds become when they are read: defaults, words in one case, an order."""

from typing import Any

import pytest

from xdsmesh.config.codec import encode
from xdsmesh.config.files import parse_file
from xdsmesh.config.kinds import KINDS
from xdsmesh.config.parts.jwks import SYSTEM_ROOTS


def read(hcl: str) -> dict[str, Any]:
    """An entry as a reader of the API sees it."""
    parsed = parse_file("case.hcl", hcl.encode())
    assert not parsed.problems
    return encode(parsed.entries[0].value)


def intentions(name: str, sources: str) -> list[tuple[str, str, int]]:
    entry = read(f'Kind = "service-intentions", Name = "{name}", Sources = [{sources}]')
    return [(source["Name"], source.get("Peer", ""), source["Precedence"]) for source in entry["Sources"]]


def test_sources_are_kept_by_precedence_and_otherwise_as_written() -> None:
    sources = """
        { Name = "*", Action = "deny" },
        { Name = "web", Action = "allow", Precedence = 3 },
        { Name = "*", Peer = "east", Action = "deny" },
        { Name = "cron", Action = "allow" },
    """

    assert intentions("api", sources) == [("web", "", 9), ("cron", "", 9), ("*", "", 8), ("*", "east", 8)]
    assert intentions("*", sources) == [("web", "", 6), ("cron", "", 6), ("*", "", 5), ("*", "east", 5)]


def test_sources_have_a_type_and_upper_case_methods() -> None:
    entry = read("""
        Kind = "service-intentions"
        Name = "api"
        Sources { Name = "web", LegacyID = "1", Permissions { Action = "deny", HTTP { Methods = ["get"] } } }
    """)

    assert entry["Sources"] == [
        {
            "Name": "web",
            "Type": "consul",
            "Precedence": 9,
            "Permissions": [{"Action": "deny", "HTTP": {"Methods": ["GET"]}}],
        }
    ]


def test_the_mesh_has_one_name() -> None:
    assert read('Kind = "mesh"') == read('Kind = "mesh", Name = "mesh"') == {"Name": "mesh"}


def test_listeners_of_an_ingress_gateway_speak_tcp_unless_told_otherwise() -> None:
    entry = read("""
        Kind = "ingress-gateway"
        Name = "ingress"
        Listeners = [
          { Port = 1, Services = { Name = "a" } },
          { Port = 2, Protocol = "HTTP2", Services = { Name = "a" } },
        ]
    """)

    assert [listener["Protocol"] for listener in entry["Listeners"]] == ["tcp", "http2"]


def test_certificates_are_inline_unless_told_otherwise() -> None:
    entry = read("""
        Kind = "api-gateway"
        Name = "edge"
        Listeners = [{ Name = "a", Port = 1, Protocol = "HTTP", TLS { Certificates { Name = "c" } } }]
    """)

    (listener,) = entry["Listeners"]
    assert listener["Protocol"] == "http"
    assert listener["TLS"] == {"Certificates": [{"Kind": "inline-certificate", "Name": "c"}]}


@pytest.mark.parametrize("kind", ["http-route", "tcp-route"])
def test_parents_of_a_route_are_api_gateways(kind: str) -> None:
    entry = read(f'Kind = "{kind}", Name = "shop", Parents {{ Name = "edge" }}')

    assert entry["Parents"] == [{"Kind": "api-gateway", "Name": "edge"}]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", {"Match": "prefix", "Value": "/"}),
        ('Path { Value = "/a" }', {"Match": "prefix", "Value": "/a"}),
        ('Path { Match = "exact", Value = "/a" }', {"Match": "exact", "Value": "/a"}),
    ],
)
def test_a_match_is_for_every_path_unless_told_otherwise(path: str, found: dict[str, str]) -> None:
    entry = read(f'Kind = "http-route", Name = "shop", Rules {{ Matches {{ Method = "get", {path} }} }}')

    assert entry["Rules"] == [{"Matches": [{"Path": found, "Method": "GET"}]}]


def test_services_of_a_route_have_a_weight_of_at_least_one() -> None:
    services = '[{ Name = "a" }, { Name = "b", Weight = -2 }, { Name = "c", Weight = 5 }]'
    entry = read(f'Kind = "http-route", Name = "shop", Rules {{ Services = {services} }}')

    assert [service["Weight"] for service in entry["Rules"][0]["Services"]] == [1, 1, 5]


def test_consumers_have_one_word_for_their_peer() -> None:
    consumers = '[{ PeerName = "east" }, { peer_name = "no", peer = "west" }]'
    entry = read(
        f'Kind = "exported-services", Name = "default", Services {{ Name = "*", Consumers = {consumers} }}'
    )

    assert entry["Services"][0]["Consumers"] == [{"Peer": "east"}, {"Peer": "west"}]


@pytest.mark.parametrize(
    ("given", "found"), [("", 30), ("ClockSkewSeconds = 0", 30), ("ClockSkewSeconds = 7", 7)]
)
def test_a_clock_may_be_off_by_half_a_minute(given: str, found: int) -> None:
    entry = read(
        f'Kind = "jwt-provider", Name = "okta", JSONWebKeySet {{ Local {{ Filename = "a" }} }}, {given}'
    )

    assert entry["ClockSkewSeconds"] == found


def test_the_status_of_somebody_elses_controller_is_dropped() -> None:
    entry = read('Kind = "tcp-route", Name = "db", Status { Conditions = [{ Type = "Bound" }] }')

    assert entry == {"Name": "db"}


BLOCK = "HTTP.Incoming.RequestNormalization"
EVADED = "a request for {} evades intentions on the path /admin"


@pytest.mark.parametrize(
    ("hcl", "warnings"),
    [
        ('Kind = "service-intentions", Name = "*", Sources { Name = "*", Action = "deny" }', []),
        ('Kind = "mesh", AllowEnablingPermissiveMutualTLS = true', []),
        (
            'Kind = "jwt-provider", Name = "a", JSONWebKeySet { Remote { URI = "https://example.com" } }',
            [f"without TLSCertificates each proxy must have {SYSTEM_ROOTS}, or no token is right"],
        ),
        ('Kind = "jwt-provider", Name = "a", JSONWebKeySet { Remote { URI = "http://example.com" } }', []),
        (
            """
            Kind = "mesh"
            ValidateClusters = true
            TransparentProxy { MeshDestinationsOnly = true }
            TLS {}
            HTTP {}
            Peering {}
            """,
            [
                "TransparentProxy has no effect yet",
                "Peering has no effect yet",
            ],
        ),
        (
            """
            Kind = "mesh"
            HTTP { Incoming { RequestNormalization { InsecureDisablePathNormalization = true } } }
            TLS { Incoming { TLSMinVersion = "TLSv1_3" } Outgoing { TLSMaxVersion = "TLSv1_2" } }
            """,
            [
                "TLS: no sidecar can call another: one stops at TLSv1_2, the other begins at TLSv1_3",
                f"{BLOCK}.InsecureDisablePathNormalization: {EVADED.format('/x/../admin')}",
                f"{BLOCK} without MergeSlashes: {EVADED.format('//admin')}",
                f"{BLOCK} without a PathWithEscapedSlashesAction: {EVADED.format('/%2Fadmin')}",
            ],
        ),
        (
            """
            Kind = "mesh"
            TLS { Incoming { TLSMaxVersion = "TLSv1_1" } Outgoing { TLSMaxVersion = "TLSv1_1" } }
            HTTP { Incoming { RequestNormalization {
              MergeSlashes = true, PathWithEscapedSlashesAction = "REJECT_REQUEST"
            } } }
            """,
            [],
        ),
        (
            'Kind = "terminating-gateway", Name = "egress", Services { Name = "web", CAFile = "ca.pem" }',
            [
                "terminating gateways are not served yet: these services are not reached through one",
                "Services[0] has a CAFile and no SNI: the name in the service's certificate is not checked",
            ],
        ),
        (
            'Kind = "file-system-certificate", Name = "shop", Certificate = "a.pem"',
            [
                "gateways that open TLS are not served yet: none shows this certificate",
                "PrivateKey names no file",
            ],
        ),
    ],
)
def test_what_has_no_effect_yet_is_said(hcl: str, warnings: list[str]) -> None:
    parsed = parse_file("case.hcl", hcl.encode())
    assert not parsed.problems

    assert list(parsed.entries[0].value.warnings()) == warnings


@pytest.mark.parametrize(
    "kind",
    [
        "ingress-gateway",
        "terminating-gateway",
        "api-gateway",
        "http-route",
        "tcp-route",
        "inline-certificate",
        "exported-services",
    ],
)
def test_kinds_that_nothing_acts_on_say_so(kind: str) -> None:
    assert any(" yet: " in warning for warning in KINDS[kind]().warnings())

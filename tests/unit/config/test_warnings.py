"""What is accepted and has no effect: it is said, at its field."""

import pytest

from xdsmesh.config.files import parse_file


def warnings(hcl: str) -> list[str]:
    parsed = parse_file("case.hcl", hcl.encode())
    assert not parsed.problems
    return list(parsed.entries[0].value.warnings())


def test_what_has_its_effect_is_no_warning() -> None:
    assert (
        warnings("""
            Kind = "proxy-defaults"
            Config { Protocol = "http", local_connect_timeout_ms = 5, ours = 1 }
        """)
        == []
    )


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("local_conect_timeout_ms", "local_connect_timeout_ms"),
        ("protocl", "protocol"),
        ("max_inbound_conections", "max_inbound_connections"),
        ("envoy_tracing_jsn", "envoy_tracing_json"),
    ],
)
def test_a_misspelled_setting_of_proxies_is_told(key: str, meant: str) -> None:
    (warning,) = warnings(f'Kind = "proxy-defaults", Config {{ {key} = 5 }}')

    assert warning == f'Config has the key "{key}", which means nothing: did you mean {meant}?'


def test_a_known_setting_of_proxies_that_is_not_built_is_told() -> None:
    hcl = 'Kind = "proxy-defaults", Config { Envoy_Tracing_Json = "{}", xds_fetch_timeout_ms = 1 }'

    assert warnings(hcl) == [
        "Config.envoy_tracing_json has no effect yet",
        "Config.xds_fetch_timeout_ms has no effect yet",
    ]


def test_a_balance_that_is_not_known_is_told() -> None:
    hcl = 'Kind = "proxy-defaults", Config { balance_inbound_connections = "fair" }'

    assert warnings(hcl) == [
        'Config.balance_inbound_connections "fair" has no effect; "exact_balance" would have one'
    ]


def test_escape_hatches_and_repeated_overrides_are_told() -> None:
    found = warnings("""
        Kind = "service-defaults"
        Name = "web"
        UpstreamConfig {
          Defaults { EnvoyListenerJSON = "{}" }
          Overrides = [{ Name = "a" }, { Name = "a", Peer = "p" }, { Name = "a", EnvoyClusterJSON = "{}" }]
        }
    """)

    assert [warning.split(" ", 1)[0] for warning in found] == [
        "UpstreamConfig.Defaults.EnvoyListenerJSON",
        "UpstreamConfig.Overrides[2].EnvoyClusterJSON",
        "UpstreamConfig.Overrides[2]",
    ]


def test_a_filter_that_fits_no_instance_is_told() -> None:
    found = warnings(
        'Kind = "service-resolver", Name = "web", Subsets { v1 { Filter = "ServiceMeta.a == b" } }'
    )

    assert len(found) == 1
    assert found[0].startswith('subset "v1" gets no instances: ')


def test_settings_that_are_not_built_yet_are_told() -> None:
    found = warnings("""
        Kind = "proxy-defaults"
        Mode = "transparent"
        TransparentProxy { DialedDirectly = true }
        MutualTLSMode = "permissive"
        Expose { Checks = true }
        EnvoyExtensions { Name = "builtin/lua" }
        FailoverPolicy { Mode = "order-by-locality" }
    """)

    assert [warning.split(" ")[0] for warning in found] == [
        "Mode",
        "TransparentProxy",
        "MutualTLSMode",
        "Expose",
        "EnvoyExtensions",
        "FailoverPolicy.Mode",
    ]


def test_regions_without_an_order_by_locality_are_told() -> None:
    hcl = 'Kind = "proxy-defaults", FailoverPolicy { Mode = "sequential", Regions = ["us-east-1"] }'

    assert warnings(hcl) == ['FailoverPolicy.Regions have no effect without Mode = "order-by-locality"']


def test_peers_are_out_of_reach_and_datacenters_are_not() -> None:
    found = warnings("""
        Kind = "service-resolver"
        Name = "web"
        Subsets { v1 {} }
        Failover = {
          v1 = { Datacenters = ["dc2", "dc3"] }
          "*" = { Targets = [{ Peer = "p1" }, { Datacenter = "dc2" }, { Service = "other" }] }
        }
    """)

    assert found == ['the peer "p1" can\'t be called yet']
    assert warnings('Kind = "service-resolver", Name = "web", Redirect { Service = "other", Peer = "p1" }')


def test_settings_of_balancing_that_envoy_would_refuse_are_told() -> None:
    ring = warnings("""
        Kind = "service-resolver"
        Name = "web"
        LoadBalancer {
          Policy = "ring_hash"
          RingHashConfig { MinimumRingSize = 9000000, MaximumRingSize = 100 }
          HashPolicies = [{ SourceIP = true }, { Terminal = true }]
        }
    """)
    least = warnings("""
        Kind = "service-resolver"
        Name = "web"
        LoadBalancer { Policy = "least_request", LeastRequestConfig { ChoiceCount = 1 } }
    """)

    assert ring == [
        "LoadBalancer.RingHashConfig.MinimumRingSize is taken as 100, which is as large as the ring can be",
        "LoadBalancer.HashPolicies[1] has no effect: there is nothing to hash",
    ]
    assert least == ["LoadBalancer.LeastRequestConfig.ChoiceCount is taken as 2, which is the least"]

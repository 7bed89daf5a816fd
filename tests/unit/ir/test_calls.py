from dataclasses import replace

import pytest

from xdsmesh.chain.types import Overrides
from xdsmesh.config.kinds.proxy_defaults import ProxyConfig, ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.parts.mesh_gateway import MeshGateway
from xdsmesh.config.parts.upstream_config import (
    PassiveHealthCheck,
    UpstreamConfig,
    UpstreamConfiguration,
    UpstreamLimits,
)
from xdsmesh.ir.calls import CallSettings, build_call_settings
from xdsmesh.ir.types import CircuitBreakers, OutlierDetection
from xdsmesh.model.catalog import Limits, Proxy, Upstream, UpstreamSettings
from xdsmesh.model.duration import Duration

PROXY = Proxy("client")
WEB = Upstream("web", 9191)


def client(defaults: UpstreamConfig | None = None, *overrides: UpstreamConfig) -> ServiceDefaults:
    return ServiceDefaults(
        name="client", upstream_config=UpstreamConfiguration(defaults=defaults, overrides=list(overrides))
    )


def of_web(config: UpstreamConfig) -> CallSettings:
    settings = build_call_settings(WEB, PROXY, client(config), None)
    assert settings is not None
    return settings


@pytest.mark.parametrize("service", [None, ServiceDefaults(name="client", protocol="http"), client()])
def test_who_says_nothing_shares_with_all_who_say_nothing(service: ServiceDefaults | None) -> None:
    assert build_call_settings(WEB, PROXY, service, ProxyDefaults(name="global")) is None


def test_overrides_win_over_defaults_and_the_registration_over_both() -> None:
    service = client(
        UpstreamConfig(protocol="http", connect_timeout_ms=1),
        UpstreamConfig(name="web", protocol="GRPC"),
        UpstreamConfig(name="db", protocol="tcp"),
    )
    registered = replace(WEB, settings=UpstreamSettings(protocol="http2"))
    settings = build_call_settings(WEB, PROXY, service, None)
    assert settings is not None
    assert settings.overrides == Overrides("grpc", "", Duration.of(milliseconds=1))
    settings = build_call_settings(registered, PROXY, service, None)
    assert settings is not None
    assert settings.overrides == Overrides("http2", "", Duration.of(milliseconds=1))


def test_an_override_for_the_service_of_a_peer_is_not_for_ours() -> None:
    service = client(None, UpstreamConfig(name="web", peer="cloud", protocol="grpc"))
    assert build_call_settings(WEB, PROXY, service, None) is None


@pytest.mark.parametrize("said", range(1, 7))
def test_who_says_how_gateways_are_used_from_weakest_to_strongest(said: int) -> None:
    modes = ["local"] * (said - 1) + ["remote"] + [""] * (6 - said)
    proxy_defaults, service, defaults, proxy, override, upstream = modes
    entry = ServiceDefaults(
        name="client",
        mesh_gateway=MeshGateway(service),
        upstream_config=UpstreamConfiguration(
            defaults=UpstreamConfig(mesh_gateway=MeshGateway(defaults)),
            overrides=[UpstreamConfig(name="web", mesh_gateway=MeshGateway(override))],
        ),
    )
    settings = build_call_settings(
        replace(WEB, settings=UpstreamSettings(mesh_gateway=upstream)),
        replace(PROXY, mesh_gateway=proxy),
        entry,
        ProxyDefaults(name="global", mesh_gateway=MeshGateway(proxy_defaults)),
    )
    assert settings is not None
    assert settings.overrides.mesh_gateway == "remote"


def test_limits_are_taken_whole_and_zero_is_a_limit() -> None:
    service = client(
        UpstreamConfig(limits=UpstreamLimits(max_connections=1, max_pending_requests=2)),
        UpstreamConfig(name="web", limits=UpstreamLimits(max_concurrent_requests=0)),
    )
    settings = build_call_settings(WEB, PROXY, service, None)
    assert settings is not None
    assert settings.circuit_breakers == CircuitBreakers(max_requests=0)
    registered = replace(WEB, settings=UpstreamSettings(limits=Limits(max_connections=0)))
    settings = build_call_settings(registered, PROXY, service, None)
    assert settings is not None
    assert settings.circuit_breakers == CircuitBreakers(max_connections=0)


def test_numbers_are_brought_within_what_envoy_takes() -> None:
    limits = UpstreamLimits(max_connections=2**40, max_pending_requests=-1)
    assert of_web(UpstreamConfig(limits=limits)).circuit_breakers == CircuitBreakers(2**32 - 1, 0)


def test_a_passive_check_says_when_an_instance_is_left_out() -> None:
    check = PassiveHealthCheck(
        interval=Duration.of(seconds=5),
        max_failures=3,
        enforcing_consecutive_5xx=0,
        max_ejection_percent=50,
        base_ejection_time=Duration.of(seconds=10),
    )
    assert of_web(UpstreamConfig(passive_health_check=check)).outlier_detection == OutlierDetection(
        Duration.of(seconds=5), 3, 0, 50, Duration.of(seconds=10), at_least_one=True
    )


def test_who_wants_nobody_left_out_gets_that() -> None:
    check = PassiveHealthCheck(max_failures=3, max_ejection_percent=0)
    assert not of_web(UpstreamConfig(passive_health_check=check)).outlier_detection.at_least_one


def test_without_a_word_about_passive_checks_the_only_instance_stays_in() -> None:
    assert not of_web(UpstreamConfig(connect_timeout_ms=1)).outlier_detection.at_least_one


def test_envoy_is_given_no_times_of_zero() -> None:
    check = PassiveHealthCheck(max_failures=1, base_ejection_time=Duration())
    assert of_web(UpstreamConfig(passive_health_check=check)).outlier_detection == OutlierDetection(
        consecutive_5xx=1, base_ejection_time=Duration.of(milliseconds=1), at_least_one=True
    )


def test_connections_of_the_application_may_be_balanced() -> None:
    assert of_web(UpstreamConfig(balance_outbound_connections="exact_balance")).exact_balance


def test_headers_are_limited_as_they_are_for_the_callers_own_service() -> None:
    defaults = ProxyDefaults(name="global", config=ProxyConfig(max_request_headers_kb=96))
    settings = build_call_settings(WEB, PROXY, None, defaults)
    assert settings == CallSettings(max_request_headers_kb=96)


def test_equal_settings_are_one_object() -> None:
    assert of_web(UpstreamConfig(protocol="grpc")) is of_web(UpstreamConfig(protocol="GRPC"))

"""What a ``jwt-provider`` entry means for a proxy."""

from typing import Any

import pytest

from xdsmesh.config.kinds.jwt_provider import CacheConfig, JWTProvider
from xdsmesh.config.parts.jwks import (
    SYSTEM_ROOTS,
    BackOff,
    JSONWebKeySet,
    JWKSCluster,
    LocalJWKS,
    RemoteJWKS,
    RetryPolicy,
)
from xdsmesh.ir.jwt import (
    FetchRetries,
    JwksCluster,
    LocalKeys,
    RemoteKeys,
    Roots,
    ServerTls,
    build_jwks_cluster,
    build_jwt_provider,
)
from xdsmesh.model.duration import Duration

SECOND = Duration.of(seconds=1)


def remote(uri: str = "https://Keys.example.com/a", **more: Any) -> JWTProvider:
    keys = JSONWebKeySet(remote=RemoteJWKS(uri=uri, **more))
    return JWTProvider(name="okta", json_web_key_set=keys).normalize()


def keys_of(entry: JWTProvider) -> LocalKeys | RemoteKeys:
    provider = build_jwt_provider(entry)
    assert provider
    return provider.keys


def cluster_of(entry: JWTProvider) -> JwksCluster:
    cluster = build_jwks_cluster(entry)
    assert cluster
    return cluster


def test_ledger_29_times_keep_their_units() -> None:
    entry = remote(request_timeout_ms=500, cache_duration=Duration.of(seconds=90))
    keys = keys_of(entry)
    assert isinstance(keys, RemoteKeys)
    assert keys.request_timeout == Duration.of(milliseconds=500)
    assert keys.cache_duration == Duration.of(seconds=90)


def test_times_that_are_not_given_are_never_endless() -> None:
    assert keys_of(remote()) == RemoteKeys(
        "https://Keys.example.com/a", "jwks_cluster_okta", Duration.of(seconds=5), waits=True
    )


@pytest.mark.parametrize(
    ("base", "longest", "expected"),
    [
        (Duration(), Duration(), FetchRetries(2)),
        (SECOND, Duration(), FetchRetries(2, SECOND)),
        (Duration(), Duration.of(seconds=9), FetchRetries(2, SECOND, Duration.of(seconds=9))),
        (
            Duration(),
            Duration.of(milliseconds=9),
            FetchRetries(2, Duration.of(milliseconds=9), Duration.of(milliseconds=9)),
        ),
    ],
)
def test_a_longest_interval_comes_with_one_to_begin_with(
    base: Duration, longest: Duration, expected: FetchRetries
) -> None:
    policy = RetryPolicy(num_retries=2, retry_policy_back_off=BackOff(base, longest))
    keys = keys_of(remote(retry_policy=policy))
    assert isinstance(keys, RemoteKeys)
    assert keys.retries == expected


def test_ledger_29_a_server_is_found_by_dns_and_proves_its_name() -> None:
    assert cluster_of(remote()) == JwksCluster(
        provider="okta",
        host="keys.example.com",
        port=443,
        discovery="STRICT_DNS",
        connect_timeout=Duration.of(seconds=5),
        tls=ServerTls("keys.example.com", is_ip=False, roots=Roots(filename=SYSTEM_ROOTS)),
    )


@pytest.mark.parametrize(
    ("uri", "port", "host"),
    [
        ("http://keys/", 80, None),
        ("http://keys:81/", 81, None),
        ("https://[0:0::1]:444/", 444, "::1"),
        ("https://10.0.0.1/", 443, "10.0.0.1"),
    ],
)
def test_a_server_proves_the_host_of_its_address_where_that_is_https(
    uri: str, port: int, host: str | None
) -> None:
    cluster = cluster_of(remote(uri))
    assert cluster.port == port
    assert (cluster.tls.host if cluster.tls else None) == host


@pytest.mark.parametrize("kind", ["EDS", "ORIGINAL_DST"])
def test_a_cluster_that_nobody_feeds_is_not_there(kind: str) -> None:
    assert build_jwks_cluster(remote(jwks_cluster=JWKSCluster(discovery_type=kind))) is None


def test_roots_are_never_nothing() -> None:
    with pytest.raises(ValueError, match="no certificates"):
        Roots()


def test_keys_at_hand_need_no_cluster() -> None:
    entry = JWTProvider(name="okta", json_web_key_set=JSONWebKeySet(local=LocalJWKS(jwks="e3\n0=")))
    assert keys_of(entry) == LocalKeys("{}")
    assert build_jwks_cluster(entry) is None


@pytest.mark.parametrize(("config", "expected"), [(None, None), (CacheConfig(), 0), (CacheConfig(9), 9)])
def test_ledger_29_the_size_of_the_cache_is_said(config: CacheConfig | None, expected: int | None) -> None:
    keys = JSONWebKeySet(local=LocalJWKS(filename="a.json"))
    provider = build_jwt_provider(
        JWTProvider(name="a", json_web_key_set=keys, cache_config=config).normalize()
    )
    assert provider
    assert provider.cache_size == expected
    assert provider.clock_skew_seconds == 30

"""What one caller wants otherwise, and what it must say at all."""

from collections.abc import Mapping

import pytest

from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.types import ChainError, ChainRequest, CompiledChain, ErrorCode, Overrides
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.proxy_defaults import ProxyConfig, ProxyDefaults
from xdsmesh.config.kinds.service_splitter import ServiceSplitter, Split
from xdsmesh.model.duration import Duration

HTTP = ProxyDefaults(name="global", config=ProxyConfig(protocol="http"))
SPLIT = ServiceSplitter(name="web", splits=[Split(weight=100, service="other")])


def compiled(*entries: Entry, **overrides: str | Duration) -> CompiledChain | ChainError:
    by_key: Mapping[tuple[str, str], Entry] = {(entry.KIND, entry.name): entry for entry in entries}
    wanted = Overrides(**overrides)  # type: ignore[arg-type] # each test gives the right ones
    request = ChainRequest("web", "dc1", "trust.consul", wanted)
    return compile_chain(request, lambda kind, name: by_key.get((kind, name)))


def customization(*entries: Entry, **overrides: str | Duration) -> str:
    chain = compiled(*entries, **overrides)
    assert isinstance(chain, CompiledChain), chain
    return chain.customization_hash


def test_the_hash_is_the_same_for_equal_overrides_and_another_for_others() -> None:
    hashes = {
        customization(protocol="grpc"),
        customization(mesh_gateway="local"),
        customization(mesh_gateway="remote"),
        customization(connect_timeout=Duration.of(seconds=9)),
        customization(protocol="grpc", connect_timeout=Duration.of(seconds=9)),
    }
    assert len(hashes) == 5
    assert "" not in hashes
    assert customization(protocol="grpc") in hashes


def test_an_override_without_effect_has_no_part_in_the_hash() -> None:
    timeout = Duration.of(seconds=5)
    assert customization(HTTP, protocol="http", mesh_gateway="local", connect_timeout=timeout) == (
        customization(mesh_gateway="local")
    )


def test_a_splitter_that_is_left_out_customizes_though_the_protocol_stays() -> None:
    assert customization(SPLIT, protocol="tcp")


def test_the_case_of_a_protocol_means_nothing() -> None:
    assert customization(HTTP, protocol="HTTP") == ""
    assert customization(HTTP, protocol="GRPC") == customization(HTTP, protocol="grpc")


def test_no_time_at_all_is_no_override() -> None:
    assert customization(connect_timeout=Duration()) == customization(connect_timeout=Duration(-1)) == ""


@pytest.mark.parametrize(
    ("service", "datacenter", "trust_domain", "missing"),
    [
        ("", "dc1", "trust.consul", "service"),
        ("web", "", "trust.consul", "datacenter"),
        ("web", "dc1", "", "trust domain"),
    ],
)
def test_what_is_not_said_is_missing(service: str, datacenter: str, trust_domain: str, missing: str) -> None:
    error = compile_chain(ChainRequest(service, datacenter, trust_domain), lambda _kind, _name: None)
    assert isinstance(error, ChainError)
    assert error.code == ErrorCode.INPUT
    assert f"the {missing} is missing" in error.message


@pytest.mark.parametrize(
    ("override", "field", "choice"),
    [
        ({"mesh_gateway": "nearby"}, "OverrideMeshGateway", "none, local, remote"),
        ({"protocol": "htp"}, "OverrideProtocol", "tcp, http, http2, grpc"),
    ],
)
def test_an_unknown_override_is_refused_with_the_words_that_there_are(
    override: dict[str, str], field: str, choice: str
) -> None:
    error = compiled(**override)
    assert isinstance(error, ChainError)
    assert error.code == ErrorCode.INPUT
    assert field in error.message
    assert choice in error.message

"""The listener for other datacenters, in the real server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from xdsmesh.federation.v1.federation_pb2 import AskRequest, AskResponse
from xdsmesh.federation.wire import SERVICE

Start = Callable[..., Any]


def ask(address: str, roots: str) -> AskResponse:
    """Call without a certificate."""
    options = [("grpc.ssl_target_name_override", "server.dc1.consul")]
    with grpc.secure_channel(address, grpc.ssl_channel_credentials(roots.encode()), options) as channel:
        method = channel.unary_unary(f"/{SERVICE}/Ask", AskRequest.SerializeToString, AskResponse.FromString)
        response: AskResponse = method(AskRequest(), timeout=15)
        return response


def test_it_is_there_beside_xds_and_takes_nobody_without_a_certificate(shared: Any) -> None:
    (event,) = shared.events("serving federation")
    assert event["address"].startswith("127.0.0.1:")
    assert event["advertised"] == event["address"]
    roots = shared.http.get("/v1/connect/ca/roots?pem=true").text
    with pytest.raises(grpc.RpcError) as refused:
        ask(event["address"], roots)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


def test_gateways_and_the_catalog_are_told_the_address_that_is_advertised(start: Start) -> None:
    server = start("--dev", "--advertise-addr", "127.0.0.5", "--federation-addr", "127.0.0.5:0")
    (event,) = server.events("serving federation")
    assert event["advertised"] == event["address"]
    assert event["address"].startswith("127.0.0.5:")
    assert [each["Address"] for each in server.http.get("/v1/catalog/nodes").json()] == ["127.0.0.5"]


def test_it_can_be_off(start: Start) -> None:
    server = start("--dev", "--federation-addr", "off")
    assert server.events("serving federation") == []


def test_an_address_that_is_taken_is_told(shared: Any, start: Start, tmp_path: Path) -> None:
    taken = shared.events("serving federation")[0]["address"]
    server = start("--data-dir", str(tmp_path / "data"), "--federation-addr", taken, ready=False)
    assert server.process.wait(60) == 1
    assert f"federation can't listen on {taken}" in server.output()
    assert "--federation-addr" in server.output()


def test_a_free_port_is_the_same_again_after_a_restart(start: Start, tmp_path: Path) -> None:
    """Else others would not get through until the gateways have heard of the new one."""
    flags = ("--data-dir", str(tmp_path / "data"))
    first = start(*flags)
    (before,) = first.events("serving federation")
    first.stop()
    (after,) = start(*flags).events("serving federation")
    assert after["address"] == before["address"]

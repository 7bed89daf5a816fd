"""A chain as the API and the command show it."""

import json
from collections.abc import Callable
from typing import Any

from xdsmesh.chain.render import render_chain, render_error
from xdsmesh.chain.types import ChainError, CompiledChain, ErrorCode
from xdsmesh.config.kinds.proxy_defaults import FailoverPolicy, ProxyConfig, ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_resolver import Failover, FailoverTarget, Redirect, ServiceResolver, Subset
from xdsmesh.config.kinds.service_router import Destination, HTTPMatch, Match, Route, ServiceRouter
from xdsmesh.config.kinds.service_splitter import ServiceSplitter, Split
from xdsmesh.config.parts.envoy_extension import EnvoyExtension
from xdsmesh.config.parts.headers import HeaderModifiers
from xdsmesh.config.parts.load_balancer import HashPolicy, LoadBalancer
from xdsmesh.config.parts.mesh_gateway import MeshGateway
from xdsmesh.config.parts.transparent_proxy import TransparentProxy
from xdsmesh.model.duration import Duration

HTTP = ProxyDefaults(name="global", config=ProxyConfig(protocol="http"))

Compiled = Callable[..., CompiledChain]


def rendered(chain: CompiledChain) -> dict[str, Any]:
    """The chain as it comes out of JSON again."""
    answer = json.loads(json.dumps(render_chain(chain)))
    assert list(answer) == ["Chain"]
    result: dict[str, Any] = answer["Chain"]
    return result


def test_a_service_without_entries(compiled: Compiled) -> None:
    assert rendered(compiled("web")) == {
        "ServiceName": "web",
        "Namespace": "default",
        "Partition": "default",
        "Datacenter": "dc1",
        "Default": True,
        "Protocol": "tcp",
        "StartNode": "resolver:web.default.default.dc1",
        "Nodes": {
            "resolver:web.default.default.dc1": {
                "Type": "resolver",
                "Name": "web.default.default.dc1",
                "Resolver": {"Default": True, "ConnectTimeout": "5s", "Target": "web.default.default.dc1"},
            }
        },
        "Targets": {
            "web.default.default.dc1": {
                "ID": "web.default.default.dc1",
                "Service": "web",
                "Namespace": "default",
                "Partition": "default",
                "Datacenter": "dc1",
                "MeshGateway": {},
                "Subset": {},
                "TransparentProxy": {},
                "ConnectTimeout": "5s",
                "External": False,
                "SNI": "web.default.dc1.internal.trust.consul",
                "Name": "web.default.dc1.internal.trust.consul",
            }
        },
        "AutoVirtualIPs": [],
        "ManualVirtualIPs": [],
    }


def test_routes_are_shown_as_configured_and_the_implied_one_with_its_service(compiled: Compiled) -> None:
    exact = Route(
        match=Match(http=HTTPMatch(path_exact="/x")),
        destination=Destination(request_timeout=Duration.of(seconds=90), retry_on=["5xx"]),
    )
    chain = rendered(compiled("web", HTTP, ServiceRouter(name="web", routes=[exact, Route()])))
    assert chain["Default"] is False
    assert chain["Nodes"]["router:web.default.default"] == {
        "Type": "router",
        "Name": "web.default.default",
        "Routes": [
            {
                "Definition": {
                    "Match": {"HTTP": {"PathExact": "/x"}},
                    "Destination": {"RequestTimeout": "1m30s", "RetryOn": ["5xx"]},
                },
                "NextNode": "resolver:web.default.default.dc1",
            },
            {"Definition": {}, "NextNode": "resolver:web.default.default.dc1"},
            {
                "Definition": {
                    "Match": {"HTTP": {"PathPrefix": "/"}},
                    "Destination": {"Service": "web"},
                },
                "NextNode": "resolver:web.default.default.dc1",
            },
        ],
    }


def test_splits_have_their_final_weight_and_modifiers_beside_what_was_configured(compiled: Compiled) -> None:
    outer, inner = HeaderModifiers(set={"x-a": "outer"}), HeaderModifiers(set={"x-b": "inner"})
    chain = rendered(
        compiled(
            "web",
            HTTP,
            ServiceSplitter(
                name="web", splits=[Split(weight=33.33, service="next", request_headers=outer), Split(66.67)]
            ),
            ServiceSplitter(
                name="next", splits=[Split(weight=50, request_headers=inner), Split(weight=50, service="b")]
            ),
        )
    )
    splits = chain["Nodes"]["splitter:web.default.default"]["Splits"]
    assert [split["Weight"] for split in splits] == [16.67, 16.67, 66.67]
    assert splits[0]["Definition"] == {
        "Weight": 50,
        "RequestHeaders": {"Set": {"x-a": "outer", "x-b": "inner"}},
    }
    assert splits[1]["Definition"] == {
        "Weight": 50,
        "Service": "b",
        "RequestHeaders": {"Set": {"x-a": "outer"}},
    }


def test_a_split_without_weight_still_says_so(compiled: Compiled) -> None:
    splits = [Split(weight=100), Split(service="spare")]
    node = rendered(compiled("web", HTTP, ServiceSplitter(name="web", splits=splits)))["Nodes"]
    spare = node["splitter:web.default.default"]["Splits"][1]
    assert (spare["Weight"], spare["Definition"]) == (0, {"Weight": 0, "Service": "spare"})


def test_a_resolver_says_what_stands_in_how_it_balances_and_how_long_it_waits(compiled: Compiled) -> None:
    chain = rendered(
        compiled(
            "web",
            ProxyDefaults(name="global", failover_policy=FailoverPolicy(mode="sequential")),
            ServiceResolver(
                name="web",
                default_subset="v1",
                subsets={"v1": Subset(filter="Service.Meta.v == 1", only_passing=True)},
                failover={"*": Failover(targets=[FailoverTarget(datacenter="dc2"), FailoverTarget("b")])},
                load_balancer=LoadBalancer("maglev", hash_policies=[HashPolicy(source_ip=True)]),
                request_timeout=Duration.of(milliseconds=1500),
            ),
        )
    )
    assert chain["Nodes"][chain["StartNode"]] == {
        "Type": "resolver",
        "Name": "v1.web.default.default.dc1",
        "Resolver": {
            "Default": False,
            "ConnectTimeout": "5s",
            "RequestTimeout": "1.5s",
            "Target": "v1.web.default.default.dc1",
            "Failover": {
                "Targets": ["v1.web.default.default.dc2", "b.default.default.dc1"],
                "Policy": {"Mode": "sequential"},
            },
        },
        "LoadBalancer": {"Policy": "maglev", "HashPolicies": [{"SourceIP": True}]},
    }
    target = chain["Targets"]["v1.web.default.default.dc1"]
    assert target["ServiceSubset"] == "v1"
    assert target["Subset"] == {"Filter": "Service.Meta.v == 1", "OnlyPassing": True}


def test_a_target_in_a_peer_has_no_place_and_no_names_here(compiled: Compiled) -> None:
    redirect = Redirect(service="other", peer="cluster-01")
    (target,) = rendered(compiled("web", ServiceResolver(name="web", redirect=redirect)))["Targets"].values()
    assert target["ID"] == "other.default.default.external.cluster-01"
    assert (target["Peer"], target["Datacenter"], target["SNI"], target["Name"]) == ("cluster-01", "", "", "")


def test_what_defaults_say_of_a_target_and_of_the_chain(compiled: Compiled) -> None:
    chain = rendered(
        compiled(
            "web",
            ServiceDefaults(
                name="web",
                mesh_gateway=MeshGateway("local"),
                transparent_proxy=TransparentProxy(dialed_directly=True),
                meta={"team": "red"},
                envoy_extensions=[EnvoyExtension(name="builtin/lua", arguments={"Script": "x"})],
            ),
        )
    )
    assert chain["ServiceMeta"] == {"team": "red"}
    assert chain["EnvoyExtensions"] == [{"Name": "builtin/lua", "Arguments": {"Script": "x"}}]
    (target,) = chain["Targets"].values()
    assert target["MeshGateway"] == {"Mode": "local"}
    assert target["TransparentProxy"] == {"DialedDirectly": True}


def test_a_service_outside_the_mesh(compiled: Compiled) -> None:
    (target,) = rendered(compiled("web", ServiceDefaults(name="web", external_sni="out")))["Targets"].values()
    assert (target["External"], target["SNI"]) == (True, "out")
    assert target["Name"] == "web.default.dc1.internal.trust.consul"


def test_an_error_is_shown_by_its_code_and_text() -> None:
    error = ChainError(ErrorCode.CIRCULAR_REDIRECT, "in a circle", "service-resolver", "web")
    assert json.loads(json.dumps(render_error(error))) == {
        "Error": {"Code": "circular-resolver-redirect", "Message": "in a circle"}
    }

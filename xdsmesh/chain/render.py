"""A compiled chain as people and other programs read it: plain values under PascalCase keys.

Shape: https://developer.hashicorp.com/consul/api-docs/discovery-chain#sample-response. Durations are Go
strings, weights are percent. Empty parts are left out; what says yes or no about a chain never is.
"""

from collections.abc import Iterable
from typing import Any, Final

from msgspec import structs

from xdsmesh.chain.types import (
    ChainError,
    ChainRoute,
    ChainSplit,
    CompiledChain,
    Node,
    ResolverNode,
    RouterNode,
    SplitterNode,
    Target,
)
from xdsmesh.config import codec
from xdsmesh.config.entry import Shape

_TENANCY: Final = {"Namespace": "default", "Partition": "default"}
_HUNDREDTHS: Final = 100


def render_chain(chain: CompiledChain) -> dict[str, Any]:
    """The chain under the key ``Chain``, as ``GET /v1/discovery-chain/:service`` answers."""
    customized = {"CustomizationHash": chain.customization_hash} if chain.customization_hash else {}
    metadata = {
        "ServiceMeta": dict(chain.service_meta),
        "EnvoyExtensions": _shapes(chain.envoy_extensions),
    }
    return {
        "Chain": {
            "ServiceName": chain.service,
            **_TENANCY,
            "Datacenter": chain.datacenter,
            **customized,
            "Default": chain.default,
            "Protocol": chain.protocol,
            **_given(metadata),
            "StartNode": chain.start,
            "Nodes": {key: _node(node) for key, node in chain.nodes.items()},
            "Targets": {key: _target(target) for key, target in chain.targets.items()},
            "AutoVirtualIPs": [],
            "ManualVirtualIPs": [],
        }
    }


def render_error(error: ChainError) -> dict[str, Any]:
    """Why there is no chain, under the key ``Error``."""
    return {"Error": {"Code": error.code.value, "Message": error.message}}


def _node(node: Node) -> dict[str, Any]:
    kind, _, name = node.key.partition(":")
    return {"Type": kind, "Name": name, **_content(node)}


def _content(node: Node) -> dict[str, Any]:
    match node:
        case RouterNode(routes=routes):
            return {"Routes": [_route(route) for route in routes]}
        case SplitterNode(splits=splits):
            return {"Splits": [_split(split) for split in splits], **_load_balancer(node)}
        case ResolverNode():
            return {"Resolver": _resolver(node), **_load_balancer(node)}


def _route(route: ChainRoute) -> dict[str, Any]:
    return {"Definition": codec.encode(route.definition), "NextNode": route.next}


def _split(split: ChainSplit) -> dict[str, Any]:
    """The definition has the header modifiers that are in force, those of outer splitters included."""
    definition = structs.replace(
        split.definition, request_headers=split.request_headers, response_headers=split.response_headers
    )
    return {
        "Definition": {"Weight": _percent(split.definition.hundredths), **codec.encode(definition)},
        "Weight": _percent(split.weight),
        "NextNode": split.next,
    }


def _percent(hundredths: int) -> int | float:
    whole, rest = divmod(hundredths, _HUNDREDTHS)
    return hundredths / _HUNDREDTHS if rest else whole


def _resolver(node: ResolverNode) -> dict[str, Any]:
    request_timeout = {"RequestTimeout": str(node.request_timeout)} if node.request_timeout else {}
    failover = {"Failover": _failover(node)} if node.failover else {}
    return {
        "Default": node.default,
        "ConnectTimeout": str(node.connect_timeout),
        **request_timeout,
        "Target": node.target,
        **failover,
    }


def _failover(node: ResolverNode) -> dict[str, Any]:
    policy = {"Policy": codec.encode(node.failover_policy)} if node.failover_policy else {}
    return {"Targets": list(node.failover), **policy}


def _load_balancer(node: SplitterNode | ResolverNode) -> dict[str, Any]:
    return {"LoadBalancer": codec.encode(node.load_balancer)} if node.load_balancer else {}


def _target(target: Target) -> dict[str, Any]:
    subset = {"Filter": target.filter, "OnlyPassing": target.only_passing}
    return {
        "ID": target.id,
        "Service": target.service,
        **_given({"ServiceSubset": target.subset}),
        **_TENANCY,
        "Datacenter": target.datacenter,
        **_given({"Peer": target.peer}),
        "MeshGateway": _given({"Mode": target.mesh_gateway}),
        "Subset": _given(subset),
        "TransparentProxy": _given({"DialedDirectly": target.dialed_directly}),
        "ConnectTimeout": str(target.connect_timeout),
        "External": target.external,
        "SNI": target.sni,
        "Name": target.name,
    }


def _shapes(shapes: Iterable[Shape]) -> list[dict[str, Any]]:
    return [codec.encode(shape) for shape in shapes]


def _given(parts: dict[str, Any]) -> dict[str, Any]:
    """The parts that are not empty."""
    return {key: part for key, part in parts.items() if part}

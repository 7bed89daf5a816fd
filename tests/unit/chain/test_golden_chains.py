"""Every case of ``tests/golden/chains`` compiles to just what it says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.types import (
    ChainError,
    ChainRequest,
    ChainSplit,
    CompiledChain,
    Node,
    Overrides,
    ResolverNode,
    RouterNode,
    SplitterNode,
    Target,
)
from xdsmesh.config import codec
from xdsmesh.config.entry import Entry, Shape
from xdsmesh.config.kinds import KINDS
from xdsmesh.config.syntax import json as json_syntax
from xdsmesh.model.duration import Duration

CASES = sorted((Path(__file__).parents[2] / "golden" / "chains").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_compiles_as_the_case_says(path: Path) -> None:
    case = json.loads(path.read_text())
    entries = [_entry(raw) for raw in case["entries"]]
    by_key = {(entry.KIND, entry.name): entry for entry in entries}
    overrides = _overrides(**case.get("overrides", {}))
    request = ChainRequest(case["service"], case["datacenter"], case["trust_domain"], overrides)

    compiled = compile_chain(request, lambda kind, name: by_key.get((kind, name)))

    if isinstance(compiled, ChainError):
        assert compiled.code == case.get("error"), compiled.message
    else:
        assert _picture(compiled) == case.get("chain")


def _entry(raw: dict[str, Any]) -> Entry:
    (root,) = json_syntax.parse(json.dumps(raw), "case").roots
    entry, problems = codec.read(KINDS[raw["Kind"]], root, "case", check=False)
    assert entry is not None, problems
    return entry


def _overrides(*, protocol: str = "", mesh_gateway: str = "", connect_timeout: str = "0s") -> Overrides:
    return Overrides(protocol, mesh_gateway, Duration.parse(connect_timeout))


def _picture(chain: CompiledChain) -> dict[str, Any]:
    assert re.fullmatch("|[0-9a-f]{8}", chain.customization_hash)
    return {
        "protocol": chain.protocol,
        "default": chain.default,
        "start": chain.start,
        "nodes": {key: _node(node) for key, node in chain.nodes.items()},
        "targets": {key: _target(target) for key, target in chain.targets.items()},
    } | _given(
        customized=bool(chain.customization_hash),
        service_meta=dict(chain.service_meta),
        envoy_extensions=[extension.name for extension in chain.envoy_extensions],
    )


def _node(node: Node) -> dict[str, Any]:
    match node:
        case RouterNode(routes=routes):
            return {
                "routes": [
                    {
                        "match": _plain(route.match),
                        "service": route.destination.service,
                        "subset": route.destination.service_subset,
                        "next": route.next,
                    }
                    for route in routes
                ]
            }
        case SplitterNode(splits=splits):
            return {"splits": [_split(split) for split in splits]} | _given(
                load_balancer=_plain(node.load_balancer)
            )
        case ResolverNode():
            return {
                "target": node.target,
                "default": node.default,
                "connect_timeout": str(node.connect_timeout),
            } | _given(
                request_timeout=node.request_timeout and str(node.request_timeout),
                load_balancer=_plain(node.load_balancer),
                failover=list(node.failover),
                failover_policy=_plain(node.failover_policy),
            )


def _split(split: ChainSplit) -> dict[str, Any]:
    return {"hundredths": split.weight, "next": split.next} | _given(
        request_headers=_plain(split.request_headers),
        response_headers=_plain(split.response_headers),
    )


def _target(target: Target) -> dict[str, Any]:
    return (
        {
            "service": target.service,
            "subset": target.subset,
            "datacenter": target.datacenter,
            "sni": target.sni,
            "filter": target.filter,
            "only_passing": target.only_passing,
            "connect_timeout": str(target.connect_timeout),
        }
        | _given(
            peer=target.peer,
            mesh_gateway=target.mesh_gateway,
            external=target.external,
            dialed_directly=target.dialed_directly,
        )
        | ({} if target.name == target.sni else {"name": target.name})
    )


def _plain(part: Shape | None) -> dict[str, Any] | None:
    return None if part is None else codec.encode(part)


def _given(**parts: Any) -> dict[str, Any]:
    return {key: part for key, part in parts.items() if part}

"""Every case of ``tests/golden/chains`` compiles to just what it says."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.types import (
    ChainError,
    ChainRequest,
    ChainSplit,
    CompiledChain,
    Node,
    ResolverNode,
    RouterNode,
    SplitterNode,
    Target,
)
from xdsmesh.config import codec
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds import KINDS
from xdsmesh.config.syntax import json as json_syntax

CASES = sorted((Path(__file__).parents[2] / "golden" / "chains").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_compiles_as_the_case_says(path: Path) -> None:
    case = json.loads(path.read_text())
    entries = [_entry(raw) for raw in case["entries"]]
    by_key = {(entry.KIND, entry.name): entry for entry in entries}
    request = ChainRequest(case["service"], case["datacenter"], case["trust_domain"])

    compiled = compile_chain(request, lambda kind, name: by_key.get((kind, name)))

    if isinstance(compiled, ChainError):
        assert compiled.code == case.get("error"), compiled.message
    else:
        assert _picture(compiled) == case.get("chain")


def _entry(raw: dict[str, Any]) -> Entry:
    (root,) = json_syntax.parse(json.dumps(raw), "case").roots
    entry, problems = codec.read(KINDS[raw["Kind"]], root, "case")
    assert entry is not None, problems
    return entry


def _picture(chain: CompiledChain) -> dict[str, Any]:
    return {
        "protocol": chain.protocol,
        "default": chain.default,
        "start": chain.start,
        "nodes": {key: _node(node) for key, node in chain.nodes.items()},
        "targets": {key: _target(target) for key, target in chain.targets.items()},
    }


def _node(node: Node) -> dict[str, Any]:
    match node:
        case RouterNode(routes=routes):
            return {
                "routes": [
                    {
                        "match": msgspec.to_builtins(route.match),
                        "service": route.destination.service,
                        "subset": route.destination.service_subset,
                        "next": route.next,
                    }
                    for route in routes
                ]
            }
        case SplitterNode(splits=splits):
            return {"splits": [_split(split) for split in splits]}
        case ResolverNode():
            timeout = {"request_timeout": str(node.request_timeout)} if node.request_timeout else {}
            connect_timeout = str(node.connect_timeout)
            return {
                "target": node.target,
                "default": node.default,
                "connect_timeout": connect_timeout,
            } | timeout


def _split(split: ChainSplit) -> dict[str, Any]:
    modifiers = {"request_headers": split.request_headers, "response_headers": split.response_headers}
    headers = {key: msgspec.to_builtins(value) for key, value in modifiers.items() if value is not None}
    return {"hundredths": split.weight, "next": split.next} | headers


def _target(target: Target) -> dict[str, Any]:
    return {
        "service": target.service,
        "subset": target.subset,
        "datacenter": target.datacenter,
        "sni": target.sni,
        "filter": target.filter,
        "only_passing": target.only_passing,
        "connect_timeout": str(target.connect_timeout),
    }

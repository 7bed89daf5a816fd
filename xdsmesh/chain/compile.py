"""The compiler of discovery chains: a pure function of the config entries that it reads.

Rules: https://developer.hashicorp.com/consul/docs/manage-traffic/discovery-chain
"""

from collections.abc import Iterator

from xdsmesh.chain.assemble import Assembly
from xdsmesh.chain.errors import CompileError, missing_input, unknown_override
from xdsmesh.chain.types import ChainError, ChainRequest, CompiledChain, ReadEntry
from xdsmesh.config.parts import mesh_gateway
from xdsmesh.config.rules import PROTOCOLS


def compile_chain(request: ChainRequest, read: ReadEntry) -> CompiledChain | ChainError:
    """Compile the chain of a service; every service has one, with or without entries.

    The entries must be normalized and valid by themselves; what is wrong between them is the error
    that is returned. So is what is missing or unknown in the request.
    """
    for error in _input_errors(request):
        return error.error
    try:
        return Assembly(request, read).chain()
    except CompileError as refused:
        return refused.error


def _input_errors(request: ChainRequest) -> Iterator[CompileError]:
    chain, overrides = request.service, request.overrides
    for what, value in (
        ("service", chain),
        ("datacenter", request.datacenter),
        ("trust domain", request.trust_domain),
    ):
        if not value:
            yield missing_input(chain, what)
    for field, value, words in (
        ("OverrideProtocol", overrides.protocol.lower(), PROTOCOLS),
        ("OverrideMeshGateway", overrides.mesh_gateway, mesh_gateway.MODES),
    ):
        if value and value not in words:
            yield unknown_override(chain, field, value, [word for word in words if word])

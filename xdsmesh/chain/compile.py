"""The compiler of discovery chains: a pure function of the config entries that it reads.

Rules: https://developer.hashicorp.com/consul/docs/manage-traffic/discovery-chain
"""

from xdsmesh.chain.assemble import Assembly
from xdsmesh.chain.errors import CompileError
from xdsmesh.chain.types import ChainError, ChainRequest, CompiledChain, ReadEntry


def compile_chain(request: ChainRequest, read: ReadEntry) -> CompiledChain | ChainError:
    """Compile the chain of a service; every service has one, with or without entries.

    The entries must be normalized and valid by themselves; what is wrong between them is the error
    that is returned.
    """
    try:
        return Assembly(request, read).chain()
    except CompileError as refused:
        return refused.error

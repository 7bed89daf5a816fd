"""What is said when a chain can't be compiled: the chain, the hop, the entry to look at, what to do."""

from collections.abc import Mapping, Sequence
from typing import Final

from xdsmesh.chain.hop import Hop
from xdsmesh.chain.names import Lookup
from xdsmesh.chain.protocol import ServiceProtocol
from xdsmesh.chain.types import ChainError, ErrorCode
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_resolver import ServiceResolver
from xdsmesh.config.kinds.service_splitter import ServiceSplitter
from xdsmesh.config.wording import quoted
from xdsmesh.model.codes import Code

PROBLEM_CODES: Final[Mapping[ErrorCode, Code]] = {
    ErrorCode.CIRCULAR_REDIRECT: Code.CIRCULAR_REDIRECT,
    ErrorCode.CIRCULAR_REFERENCE: Code.CIRCULAR_REFERENCE,
    ErrorCode.MISSING_SUBSET: Code.MISSING_SUBSET,
    ErrorCode.EXTERNAL_SNI: Code.EXTERNAL_SNI,
    ErrorCode.INCONSISTENT_PROTOCOLS: Code.INCONSISTENT_PROTOCOLS,
    ErrorCode.L4_ADVANCED_ROUTING: Code.L4_ADVANCED_ROUTING,
    ErrorCode.INPUT: Code.CHAIN_TOO_LARGE,
}
"""What a problem of entries is called that shows when a chain is compiled.

Of ``INPUT``, only the size of a chain is a matter of entries; the rest is what is asked of the compiler.
"""


class CompileError(Exception):
    """Carries the error out of the depth of the compiler; ``compile_chain`` returns it as a value."""

    def __init__(self, code: ErrorCode, message: str, *, kind: str = "", name: str = "") -> None:
        super().__init__(message)
        self.error = ChainError(code, message, kind, name)


def missing_subset(chain: str, lookup: Lookup, resolver: ServiceResolver | None, hop: Hop) -> CompileError:
    """A subset is asked for that the service's resolver does not have."""
    if resolver is None:
        lack = f'"{lookup.service}" has no service-resolver that defines it'
    elif not resolver.subsets:
        lack = f'service-resolver "{lookup.service}" defines no subsets'
    else:
        defined = ", ".join(f'"{name}"' for name in sorted(resolver.subsets))
        lack = f'service-resolver "{lookup.service}" defines only {defined}'
    return CompileError(
        ErrorCode.MISSING_SUBSET,
        f'chain "{chain}": {hop} leads to subset "{lookup.subset}" of "{lookup.service}", but {lack}: '
        f"add it to that resolver's Subsets, or name another one",
        kind=hop.kind,
        name=hop.name,
    )


def circular_redirect(chain: str, visited: Sequence[str], again: str, hop: Hop) -> CompileError:
    """Redirects lead back to where they began, over the targets of these ids."""
    way = " -> ".join((*visited[visited.index(again) :], again))
    return CompileError(
        ErrorCode.CIRCULAR_REDIRECT,
        f'chain "{chain}": {hop} leads in a circle, {way}: remove one of these redirects',
        kind=hop.kind,
        name=hop.name,
    )


def circular_reference(chain: str, path: Sequence[str], again: str, hop: Hop) -> CompileError:
    """Splitters lead back to where they began."""
    way = " -> ".join((*path[path.index(again) :], again))
    return CompileError(
        ErrorCode.CIRCULAR_REFERENCE,
        f'chain "{chain}": {hop} leads in a circle, {way}: name a subset there, which is never split '
        f"again, or remove one of these splits",
        kind=hop.kind,
        name=hop.name,
    )


def external_sni_conflict(chain: str, resolver: ServiceResolver) -> CompileError:
    """A resolver shapes what lies outside the mesh."""
    parts = {"Redirect": resolver.redirect, "Subsets": resolver.subsets, "Failover": resolver.failover}
    given = " and ".join(label for label, part in parts.items() if part)
    return CompileError(
        ErrorCode.EXTERNAL_SNI,
        f'chain "{chain}": service-resolver "{resolver.name}" has {given}, but by its ExternalSNI '
        f'service-defaults "{resolver.name}" says that the service is outside the mesh, which has neither '
        f"redirects nor subsets nor failover: remove {given}, or ExternalSNI",
        kind=resolver.KIND,
        name=resolver.name,
    )


def missing_input(chain: str, what: str) -> CompileError:
    """Something is not said without which there is no chain."""
    of = f'chain "{chain}": ' if chain else ""
    return CompileError(ErrorCode.INPUT, f"{of}the {what} is missing: say which {what} the chain is for")


def unknown_override(chain: str, field: str, value: str, words: Sequence[str]) -> CompileError:
    """A caller wants what there is not."""
    return CompileError(
        ErrorCode.INPUT,
        f'chain "{chain}": {field} can\'t be {quoted(value)}: use one of {", ".join(words)}, or leave it out',
    )


def too_large(chain: str, what: str, service: str) -> CompileError:
    """Splitters multiply beyond what a proxy could reasonably hold."""
    return CompileError(
        ErrorCode.INPUT,
        f'chain "{chain}": service-splitter "{service}" {what}: let splits name subsets, which are '
        f"never split again, or split by fewer services",
        kind=ServiceSplitter.KIND,
        name=service,
    )


def inconsistent_protocols(
    chain: str, first: ServiceProtocol, other: ServiceProtocol, hop: Hop
) -> CompileError:
    """Two services of a chain speak different protocols."""
    kind, name = (ServiceDefaults.KIND, other.service) if other.has_service_defaults else (hop.kind, hop.name)
    return CompileError(
        ErrorCode.INCONSISTENT_PROTOCOLS,
        f'chain "{chain}": {hop} leads to "{other.service}", whose protocol is {other}, but the chain\'s is '
        f'that of "{first.service}", {first}: give both the same protocol by service-defaults',
        kind=kind,
        name=name,
    )


def advanced_routing_on_l4(chain: str, protocol: ServiceProtocol, entry: Entry) -> CompileError:
    """A router or splitter where requests can't be told apart."""
    return CompileError(
        ErrorCode.L4_ADVANCED_ROUTING,
        f'chain "{chain}": {entry.KIND} "{entry.name}" is in use, but the protocol of "{protocol.service}", '
        f"{protocol}, does not permit advanced routing: set it to http, http2 or grpc "
        f'by service-defaults "{protocol.service}" or proxy-defaults',
        kind=entry.KIND,
        name=entry.name,
    )

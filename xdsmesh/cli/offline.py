"""Discovery chains from files alone: no server, and none of the rules of writing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from xdsmesh.catalog.declare import declare
from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.types import ChainError, ChainRequest, CompiledChain, ErrorCode, Overrides
from xdsmesh.cli.files import parsed_files
from xdsmesh.config.entry import Entry
from xdsmesh.config.files import Located
from xdsmesh.config.parts.mesh_gateway import MODES
from xdsmesh.config.wording import quoted
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import RefusedError


@dataclass(frozen=True, slots=True)
class Request:
    """What to compile, in the words of the command line; an empty override is none."""

    service: str
    datacenter: str
    trust_domain: str
    protocol: str = ""
    mesh_gateway: str = ""
    connect_timeout: str = ""


def compile_files(paths: Sequence[str], request: Request) -> CompiledChain | ChainError:
    """Compile a chain from the entries of files and folders; what services they define does not matter.

    What can't be read, or is said twice, is an input error with all problems, one a line.
    """
    problems: list[str] = []
    overrides = _overrides(request, problems)
    entries = _entries(paths, problems)
    if problems:
        return ChainError(ErrorCode.INPUT, "\n".join(problems))

    def read(kind: str, name: str) -> Entry | None:
        located = entries.get((kind, name))
        return located.value if located else None

    wanted = ChainRequest(request.service, request.datacenter, request.trust_domain, overrides)
    return compile_chain(wanted, read)


def _overrides(request: Request, problems: list[str]) -> Overrides:
    if request.mesh_gateway not in MODES:
        known = ", ".join(mode for mode in MODES if mode)
        problems.append(f"{quoted(request.mesh_gateway)} is not a mode of mesh gateways (use one of {known})")
    timeout = Duration()
    try:
        timeout = Duration.parse(request.connect_timeout or "0")
    except ValueError as error:
        problems.append(f"the connect timeout {error}")
    if timeout < Duration():
        problems.append(f"the connect timeout can't be {timeout} (0s is no override)")
    return Overrides(request.protocol.lower(), request.mesh_gateway, timeout)


def _entries(paths: Sequence[str], problems: list[str]) -> Mapping[tuple[str, str], Located[Entry]]:
    files = parsed_files(paths, check=False).values()
    try:
        return declare(replace(file, services=(), checks=()) for file in files).entries
    except RefusedError as refused:
        problems += [str(problem) for problem in refused.problems]
        return {}

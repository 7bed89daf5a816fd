"""What a change of config entries would break: a pure judgement, made before anything is written."""

from collections.abc import Mapping

from xdsmesh.chain.affected import affected_chains
from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.types import ChainError, ChainRequest
from xdsmesh.config.entry import Entry
from xdsmesh.config.filter import check, parse
from xdsmesh.config.kinds.service_resolver import ServiceResolver
from xdsmesh.model.errors import Place, Problem

EntryKey = tuple[str, str]
"""A kind and a name."""


def entry_warnings(entry: Entry) -> tuple[str, ...]:
    """What is accepted, as Consul accepts it, but will not do what its writer hopes.

    A filter's syntax is checked when it is written; what it selects may still be nothing that instances have.
    """
    if not isinstance(entry, ServiceResolver):
        return ()
    return tuple(
        f'{entry.KIND}/{entry.name}: subset "{name}" gets no instances: {problem}'
        for name, subset in entry.subsets.items()
        for problem in check(parse(subset.filter))
    )


def chain_problems(
    before: Mapping[EntryKey, Entry],
    after: Mapping[EntryKey, Entry],
    datacenter: str,
    places: Mapping[EntryKey, Place],
) -> tuple[Problem, ...]:
    """The chains that would not compile after a change of entries, each at the entry to look at.

    Only chains that the change can touch are compiled. ``places`` tells where entries were written, for
    those that come from files.
    """
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    services = affected_chains(changed, {**before, **after})
    problems = set()
    for service in services:
        request = ChainRequest(service, datacenter, trust_domain="trust.domain.invalid")
        compiled = compile_chain(request, lambda kind, name: after.get((kind, name)))
        if isinstance(compiled, ChainError):
            place = places.get((compiled.kind, compiled.name), Place(path=f"{compiled.kind}/{compiled.name}"))
            problems.add(Problem(place, compiled.message))
    return tuple(sorted(problems))

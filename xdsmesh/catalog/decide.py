"""What a change of config entries would break: a pure judgement, made before anything is written.

A write is refused for what it breaks itself. What was broken before stays broken until somebody repairs
it, and stops nobody from writing something else, or from repairing one part of it: a fault about what
was at fault before the change is not the writer's.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from xdsmesh.catalog.graph import chains, exported, gateways, intentions, permissive
from xdsmesh.catalog.graph.change import Change, Fault
from xdsmesh.catalog.graph.entry_set import EntryKey, EntrySet
from xdsmesh.config.entry import Entry
from xdsmesh.model.errors import Place, Problem

__all__ = ["EntryKey", "entry_warnings", "graph_problems"]

_OF_A_STATE: Final = (chains.faults, gateways.faults, intentions.faults, exported.faults)
"""What may be wrong between entries at any time; only what a change can touch is looked at."""

_OF_A_CHANGE: Final = (permissive.faults, exported.new_target_faults)
"""What may be wrong with a change as such, whatever was there before."""


def entry_warnings(entry: Entry) -> tuple[str, ...]:
    """What is accepted, as Consul accepts it, but will not do what its writer hopes."""
    return tuple(f"{entry.KIND}/{entry.name}: {warning}" for warning in entry.warnings())


def graph_problems(
    before: Mapping[EntryKey, Entry],
    after: Mapping[EntryKey, Entry],
    datacenter: str,
    places: Mapping[EntryKey, Place],
) -> tuple[Problem, ...]:
    """What a change of entries would break, each problem at the entry to look at.

    ``places`` tells where entries were written, for those that come from files.
    """
    change = Change(before, after, datacenter)
    return tuple(sorted({_problem(fault, places) for fault in _faults(change)}))


def _faults(change: Change) -> Iterator[Fault]:
    for rule in _OF_A_CHANGE:
        yield from rule(change)
    found = list(_state_faults(change.after, change))
    if not found:
        return
    old = {fault.about for fault in _state_faults(change.before, change)}
    yield from (fault for fault in found if fault.about not in old)


def _state_faults(entries: EntrySet, change: Change) -> Iterator[Fault]:
    for rule in _OF_A_STATE:
        yield from rule(entries, change)


def _problem(fault: Fault, places: Mapping[EntryKey, Place]) -> Problem:
    place = places.get(fault.entry, Place(path="/".join(fault.entry)))
    return Problem(place, fault.what, fault.remedy, code=fault.code)

"""What is wrong with files, alone and together, as if all of them were written into an empty mesh."""

from collections.abc import Iterable

from xdsmesh.catalog.decide import EntryKey, graph_problems
from xdsmesh.config.entry import Entry
from xdsmesh.config.files import Located
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem


def check_entries(entries: Iterable[Located[Entry]], datacenter: str = "dc1") -> tuple[Problem, ...]:
    """What is wrong between entries that are each right by themselves: each problem at its place.

    Of what is declared twice the first one counts. Entries that could not be read are missing here, and
    that may be all that is found: ask only when every file was read whole.
    """
    first: dict[EntryKey, Located[Entry]] = {}
    problems = []
    for located in entries:
        key = (located.value.KIND, located.value.name)
        if first.setdefault(key, located) is not located:
            what, remedy = f"{'/'.join(key)} is declared twice", f"the other one is at {first[key].place}"
            problems.append(Problem(located.place, what, remedy, code=Code.DECLARED_TWICE))
    after = {key: located.value for key, located in first.items()}
    places = {key: located.place for key, located in first.items()}
    return tuple(sorted((*problems, *graph_problems({}, after, datacenter, places))))

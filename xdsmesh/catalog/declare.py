"""What a folder of files declares, taken together: each thing once, with the place where it stands."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from xdsmesh.catalog.codec import decode_entry, decode_instance, encode_entry, encode_instance
from xdsmesh.catalog.decide import EntryKey, graph_problems
from xdsmesh.catalog.keys import ENTRIES, GUARD, INSTANCES, entry_key, entry_name, instance_key
from xdsmesh.catalog.ports import PortTable
from xdsmesh.config.entry import Entry
from xdsmesh.config.files import Located, ParsedFile
from xdsmesh.config.service import ServiceDefinition, expand
from xdsmesh.model.catalog import Instance, Node
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Expect, Put, Record, Txn

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Declaration:
    """All entries and services of some files, by what identifies them."""

    entries: Mapping[EntryKey, Located[Entry]]
    services: Mapping[str, Located[ServiceDefinition]]


def declare(files: Iterable[ParsedFile]) -> Declaration:
    """Put files together.

    Raises:
        RefusedError: with the problems of all files, and what two of them both declare.
    """
    problems: list[Problem] = []
    entries: dict[EntryKey, Located[Entry]] = {}
    services: dict[str, Located[ServiceDefinition]] = {}
    for file in files:
        problems.extend(file.problems)
        for entry in file.entries:
            key = (entry.value.KIND, entry.value.name)
            _claim(entries, key, entry, "/".join(key), problems)
        for service in file.services:
            service_id = service.value.id or service.value.name
            _claim(services, service_id, service, f"service {service_id}", problems)
    if problems:
        raise RefusedError(*sorted(problems))
    return Declaration(entries, services)


def _claim(
    claimed: dict[K, Located[V]], key: K, item: Located[V], what: str, problems: list[Problem]
) -> None:
    first = claimed.setdefault(key, item)
    if first is not item:
        remedy = f"the other one is at {first.place}"
        problems.append(Problem(item.place, f"{what} is declared twice", remedy, code=Code.DECLARED_TWICE))


def decide_declaration(declaration: Declaration, records: Iterable[Record], node: Node) -> Txn:
    """The transaction after which files own just what they declare; empty when that holds already.

    Raises:
        RefusedError: something belongs to the API, two services share an id, or a chain or something else
            between entries would break.
    """
    stored = {record.key: record for record in records}
    owned = {key for key, record in stored.items() if record.origin.source is Source.FILE}
    ports = _port_table(declaration, stored.values(), node)
    wanted, problems = _wanted(declaration, node, ports.take)
    problems += _foreign(wanted, stored.keys() - owned)
    before = {entry_name(key): _entry(stored[key]) for key in stored if key.startswith(ENTRIES)}
    gone = {entry_name(key) for key in owned - wanted.keys() if key.startswith(ENTRIES)}
    declared = {key: located.value for key, located in declaration.entries.items()}
    after = {key: entry for key, entry in before.items() if key not in gone} | declared
    places = {key: located.place for key, located in declaration.entries.items()}
    problems += graph_problems(before, after, node.datacenter, places)
    if problems:
        raise RefusedError(*sorted(problems))
    return _difference(stored, owned, wanted)


def bump(guard: Expect) -> Put:
    """The write that tells other writers of entries that their check is out of date."""
    return Put(GUARD, str(guard.modified).encode(), Origin(Source.SERVER, "guard"))


def _port_table(declaration: Declaration, records: Iterable[Record], node: Node) -> PortTable:
    """The ports that are not to be had: of what stays, and what the files themselves name."""
    declared = [located.value for located in declaration.services.values()]
    ids = {each for definition in declared for each in definition.ids}
    stored = (decode_instance(record.value) for record in records if _stays(record, ids))
    named = (each for definition in declared for each in expand(definition, node, lambda _: 0) if each.port)
    return PortTable((*stored, *named))


def _stays(record: Record, declared_ids: set[str]) -> bool:
    """An instance that is there after the declaration too: the API's, or one that files still declare."""
    if not record.key.startswith(INSTANCES):
        return False
    return record.origin.source is not Source.FILE or record.key.removeprefix(INSTANCES) in declared_ids


def _wanted(
    declaration: Declaration, node: Node, take_port: Callable[[Instance], int]
) -> tuple[dict[str, Put], list[Problem]]:
    """The records that a declaration asks for, by key, and what is wrong with them together."""
    wanted: dict[str, Put] = {}
    problems: list[Problem] = []
    for (kind, name), entry in declaration.entries.items():
        key = entry_key(kind, name)
        wanted[key] = Put(key, encode_entry(entry.value), _origin(entry.place))
    for service in declaration.services.values():
        for instance in expand(service.value, node, take_port):
            key = instance_key(instance.id)
            if key in wanted:
                what = f"another service is declared with the id {instance.id}"
                remedy = f"see {wanted[key].origin}"
                problems.append(Problem(service.place, what, remedy, code=Code.DECLARED_TWICE))
            wanted[key] = Put(key, encode_instance(instance), _origin(service.place))
    return wanted, problems


def _foreign(wanted: Mapping[str, Put], taken: Iterable[str]) -> list[Problem]:
    """What is wanted but belongs to somebody else."""
    problems = []
    for key in sorted(wanted.keys() & set(taken)):
        origin = wanted[key].origin or Origin(Source.FILE)
        place = Place(origin.where, origin.line, origin.column)
        what = (
            key.removeprefix(ENTRIES) if key.startswith(ENTRIES) else f"service {key.removeprefix(INSTANCES)}"
        )
        what, remedy = f"{what} was written through the API", "delete it there, or remove it here"
        problems.append(Problem(place, what, remedy, code=Code.OWNED_BY_ANOTHER))
    return problems


def _difference(stored: Mapping[str, Record], owned: set[str], wanted: Mapping[str, Put]) -> Txn:
    puts = tuple(put for key, put in wanted.items() if not _is_stored(stored.get(key), put))
    deletes = tuple(sorted(owned - wanted.keys()))
    if not puts and not deletes:
        return Txn()
    guard = Expect(GUARD, stored[GUARD].modified if GUARD in stored else 0)
    touched = (*(put.key for put in puts), *deletes)
    expects = (Expect(key, stored[key].modified if key in stored else 0) for key in touched)
    return Txn((*puts, bump(guard)), deletes, (guard, *expects))


def _is_stored(record: Record | None, put: Put) -> bool:
    return record is not None and (record.value, record.origin) == (put.value, put.origin)


def _entry(record: Record) -> Entry:
    return decode_entry(entry_name(record.key)[0], record.value)


def _origin(place: Place) -> Origin:
    return Origin(Source.FILE, place.source, place.line, place.column)

"""What a folder of files declares, taken together: each thing once, with the place where it stands."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from xdsmesh.catalog.codec import (
    decode_check,
    decode_entry,
    decode_instance,
    decode_membership,
    encode_check,
    encode_entry,
    encode_instance,
    encode_status,
)
from xdsmesh.catalog.decide import EntryKey, graph_problems
from xdsmesh.catalog.keys import (
    CHECKS,
    ENTRIES,
    GUARD,
    INSTANCES,
    MEMBERSHIP,
    Key,
    check_id,
    check_key,
    entry_key,
    entry_name,
    instance_id,
    instance_key,
    status_key,
)
from xdsmesh.catalog.ports import PortTable
from xdsmesh.catalog.proxy_ids import taken_id
from xdsmesh.config.entry import Entry
from xdsmesh.config.files import Located, ParsedFile
from xdsmesh.config.health import StandaloneCheck
from xdsmesh.config.service import ServiceDefinition, expand
from xdsmesh.config.wording import quoted
from xdsmesh.model.catalog import Instance, Node
from xdsmesh.model.checks import Check, CheckStatus
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError
from xdsmesh.model.origin import PROBER, Origin, Source
from xdsmesh.store.base import Expect, Put, Record, Txn

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Declaration:
    """All entries, services and checks by themselves of some files, by what identifies them."""

    entries: Mapping[EntryKey, Located[Entry]]
    services: Mapping[str, Located[ServiceDefinition]]
    checks: Mapping[str, Located[StandaloneCheck]]


def declare(files: Iterable[ParsedFile]) -> Declaration:
    """Put files together.

    Raises:
        RefusedError: with the problems of all files, what two of them both declare, and checks of services
            that none of them declares.
    """
    problems: list[Problem] = []
    entries: dict[EntryKey, Located[Entry]] = {}
    services: dict[str, Located[ServiceDefinition]] = {}
    checks: dict[str, Located[StandaloneCheck]] = {}
    for file in files:
        problems.extend(file.problems)
        for entry in file.entries:
            key = (entry.value.KIND, entry.value.name)
            _claim(entries, key, entry, "/".join(key), problems)
        for service in file.services:
            service_id = service.value.id or service.value.name
            _claim(services, service_id, service, f"service {service_id}", problems)
        for check in file.checks:
            _claim(checks, check.value.own_id, check, f"check {check.value.own_id}", problems)
    problems = problems or _of_unknown_services(services, checks)
    if problems:
        raise RefusedError(*sorted(problems))
    return Declaration(entries, services, checks)


def _of_unknown_services(
    services: Mapping[str, Located[ServiceDefinition]], checks: Mapping[str, Located[StandaloneCheck]]
) -> list[Problem]:
    """A check of a file is of a service of a file, so that both come and go together."""
    declared = {each for service in services.values() for each in service.value.ids}
    problems = []
    for check in checks.values():
        service_id = check.value.service_id
        if service_id and service_id not in declared:
            what = f"the check {check.value.own_id} is of {quoted(service_id)}, which no file declares"
            remedy = "declare the service in a file, or register the check through the API"
            problems.append(Problem(check.place, what, remedy, code=Code.NEEDS_ANOTHER))
    return problems


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
        RefusedError: something belongs to the API or to the primary datacenter, two services share an id, or
            a chain or something else between entries would break.
    """
    stored = {record.key: record for record in records}
    _check_primary(declaration, stored)
    owned = {key for key, record in stored.items() if record.origin.source is Source.FILE}
    ports = _port_table(declaration, stored.values(), node)
    wanted = _Wanted()
    wanted.take_in(declaration, node, ports.take)
    problems = wanted.problems + _foreign(wanted.puts, stored.keys() - owned)
    problems += _taken_ids(wanted.proxies, stored.values(), node)
    before = {entry_name(key): _entry(stored[key]) for key in stored if key.startswith(ENTRIES)}
    gone = {entry_name(key) for key in owned - wanted.puts.keys() if key.startswith(ENTRIES)}
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
    return record.origin.source is not Source.FILE or instance_id(record.key)[1] in declared_ids


@dataclass(slots=True)
class _Wanted:
    """The records that a declaration asks for, by key, and what is wrong with them together.

    ``statuses`` are what checks say until they are probed, by key; those that have a status keep it, but for
    the ``unprobed``, which say what is declared.
    ``proxies`` are where proxies are declared, by their ids.
    """

    puts: dict[str, Put] = field(default_factory=dict)
    statuses: dict[str, Put] = field(default_factory=dict)
    unprobed: set[str] = field(default_factory=set)
    proxies: dict[str, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def take_in(self, declaration: Declaration, node: Node, take_port: Callable[[Instance], int]) -> None:
        """Ask for all that is declared."""
        for (kind, name), entry in declaration.entries.items():
            key = entry_key(kind, name)
            self.puts[key] = Put(key, encode_entry(entry.value), _origin(entry.place))
        for service in declaration.services.values():
            for instance in expand(service.value, node, take_port):
                self._instance(instance, service.place)
        for check in declaration.checks.values():
            self._check(replace(check.value.check(), node=node.name), check.place)

    def _instance(self, instance: Instance, place: Place) -> None:
        node = instance.node.name
        if instance.kind.is_proxy:
            self.proxies[instance.id] = place
        key = instance_key(node, instance.id)
        self._claim(
            key, encode_instance(instance), place, f"another service is declared with the id {instance.id}"
        )
        for check in instance.checks:
            self._check(replace(check, node=node, service_id=instance.id), place)

    def _check(self, check: Check, place: Place) -> None:
        key = check_key(check.node, check.id)
        self._claim(key, encode_check(check), place, f"another check is declared with the id {check.id}")
        status = status_key(check.node, check.id)
        self.statuses[status] = Put(status, encode_status(CheckStatus(check.status)), PROBER)
        if check.probe is None:
            self.unprobed.add(status)

    def _claim(self, key: str, value: bytes, place: Place, clash: str) -> None:
        if key in self.puts:
            remedy = f"see {self.puts[key].origin}"
            self.problems.append(Problem(place, clash, remedy, code=Code.DECLARED_TWICE))
        self.puts[key] = Put(key, value, _origin(place))


def _foreign(wanted: Mapping[str, Put], taken: Iterable[str]) -> list[Problem]:
    """What is wanted but belongs to somebody else."""
    problems = []
    for key in sorted(wanted.keys() & set(taken)):
        origin = wanted[key].origin or Origin(Source.FILE)
        place = Place(origin.where, origin.line, origin.column)
        what = _NAMED[key.partition("/")[0]](key)
        what, remedy = f"{what} was written through the API", "delete it there, or remove it here"
        problems.append(Problem(place, what, remedy, code=Code.OWNED_BY_ANOTHER))
    return problems


def _check_primary(declaration: Declaration, stored: Mapping[str, Record]) -> None:
    """Refuse entries that a secondary declares: they are the primary's, for all datacenters."""
    if MEMBERSHIP not in stored or not declaration.entries:
        return
    primary = decode_membership(stored[MEMBERSHIP].value).primary
    remedy = f"move it to the config folder of {primary}, or write it with `xdsmesh config write`"
    problems = (
        Problem(
            located.place,
            f"{kind}/{name} can't be declared here: the primary datacenter, {primary}, has all entries",
            remedy,
            code=Code.OWNED_BY_ANOTHER,
        )
        for (kind, name), located in declaration.entries.items()
    )
    raise RefusedError(*sorted(problems))


def _taken_ids(proxies: Mapping[str, Place], records: Iterable[Record], node: Node) -> list[Problem]:
    """Proxies whose ids are those of proxies on other nodes."""
    problems = []
    for record in records:
        where, own_id = instance_id(record.key) if record.key.startswith(INSTANCES) else ("", "")
        if own_id in proxies and where != node.name and decode_instance(record.value).kind.is_proxy:
            problems.append(taken_id(proxies[own_id], own_id, where))
    return problems


_NAMED: Final[Mapping[str, Callable[[str], str]]] = {
    "entry": lambda key: "/".join(entry_name(key)),
    "service": lambda key: f"service {instance_id(key)[1]}",
    "check": lambda key: f"check {check_id(key)[1]}",
}
"""How a key is told to people."""


def _difference(stored: Mapping[str, Record], owned: set[str], wanted: _Wanted) -> Txn:
    kept = wanted.statuses.keys() & stored.keys() - wanted.unprobed
    asked = {**wanted.puts, **{key: put for key, put in wanted.statuses.items() if key not in kept}}
    puts = [put for key, put in asked.items() if not _is_stored(stored.get(key), put)]
    deletes = tuple(sorted(_with_what_falls(stored, owned, wanted)))
    if not puts and not deletes:
        return Txn()
    guard = Expect(GUARD, stored[GUARD].modified if GUARD in stored else 0)
    touched = (*(put.key for put in puts), *deletes)
    expects = (Expect(key, stored[key].modified if key in stored else 0) for key in touched)
    return Txn((*puts, bump(guard)), deletes, (guard, *expects))


def _with_what_falls(stored: Mapping[str, Record], owned: set[str], wanted: _Wanted) -> set[str]:
    """What is gone, and what goes with it: checks with their instance, statuses with their check.

    A check may have come while its instance went: one without an instance falls whenever it is found.
    """
    gone = owned - wanted.puts.keys()
    instances = {instance_id(key) for key in stored.keys() - gone if key.startswith(INSTANCES)}
    checks = {
        key
        for key, record in stored.items()
        if key.startswith(CHECKS)
        and key not in wanted.puts
        and (key in gone or not _has_owner(record, instances))
    }
    statuses = {status_key(*check_id(key)) for key in checks}
    return gone | checks | (statuses & stored.keys())


def _has_owner(check: Record, instances: Collection[Key]) -> bool:
    decoded = decode_check(check.value)
    return not decoded.service_id or (decoded.node, decoded.service_id) in instances


def _is_stored(record: Record | None, put: Put) -> bool:
    return record is not None and (record.value, record.origin) == (put.value, put.origin)


def _entry(record: Record) -> Entry:
    return decode_entry(entry_name(record.key)[0], record.value)


def _origin(place: Place) -> Origin:
    return Origin(Source.FILE, place.source, place.line, place.column)

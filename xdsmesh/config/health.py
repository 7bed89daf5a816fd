"""Health checks: those of a service definition, and those that are registered by themselves.

Shape: https://developer.hashicorp.com/consul/docs/reference/service/health-check.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final

from msgspec import field

from xdsmesh.config import paths, rules, targets
from xdsmesh.config.entry import Definition, UInt32
from xdsmesh.config.wording import quoted
from xdsmesh.model.checks import Check, CheckType, Health, Probe
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem

_NO_COMMANDS: Final = "this server runs no commands; it knows TTL, HTTP, TCP, UDP, GRPC, H2PING and aliases"
_FAMILIES: Final = "TTL, HTTP, TCP, UDP, GRPC, H2PING, AliasService or AliasNode"
_PROBED: Final = (CheckType.HTTP, CheckType.TCP, CheckType.UDP, CheckType.GRPC, CheckType.H2PING)
_SHORTEST_INTERVAL: Final = Duration.of(seconds=1)
_TIMEOUT: Final = Duration.of(seconds=10)
_SHORTEST_DEREGISTER: Final = Duration.of(seconds=60)
_MAX_OUTPUT: Final = 4096
"""Bytes of output that are kept; a check may ask for less."""


class CheckDefinition(Definition, frozen=True, kw_only=True):
    """One check; its id stands under either of two keys.

    Its kind follows from which target it names: a ``ttl``, an ``http`` address and so on. The aliases
    stand for the checks of another service or node.
    """

    REFUSED: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("Args", "DockerContainerID", "OSService", "Script", "ScriptArgs", "Shell"), _NO_COMMANDS
    )
    IGNORED: ClassVar[frozenset[str]] = frozenset({"Token"})

    check_id: str = field(default="", name="CheckID")
    id: str = field(default="", name="ID")
    name: str = ""
    status: str = ""
    notes: str = ""
    ttl: Duration = field(default=Duration(), name="TTL")
    http: str = field(default="", name="HTTP")
    method: str = ""
    header: dict[str, list[str]] = field(default_factory=dict)
    body: str = ""
    disable_redirects: bool = False
    tcp: str = field(default="", name="TCP")
    tcp_use_tls: bool = field(default=False, name="TCPUseTLS")
    udp: str = field(default="", name="UDP")
    grpc: str = field(default="", name="GRPC")
    grpc_use_tls: bool = field(default=False, name="GRPCUseTLS")
    h2ping: str = field(default="", name="H2PING")
    h2ping_use_tls: bool = field(default=True, name="H2PingUseTLS")
    alias_service: str = ""
    alias_node: str = ""
    interval: Duration = Duration()
    timeout: Duration = Duration()
    tls_server_name: str = field(default="", name="TLSServerName")
    tls_skip_verify: bool = field(default=False, name="TLSSkipVerify")
    success_before_passing: UInt32 = 0
    failures_before_warning: UInt32 = 0
    failures_before_critical: UInt32 = 0
    deregister_critical_service_after: Duration = Duration()
    output_max_size: UInt32 = 0

    def __repr__(self) -> str:
        """Without headers and body, which may hold secrets: this is what ends up in logs."""
        return f"{type(self).__name__}(id={self.own_id!r}, name={self.name!r})"

    @property
    def own_id(self) -> str:
        """The id that it was given, if any."""
        return self.check_id or self.id

    @property
    def type(self) -> CheckType:
        """The kind of the check; of several, which are a problem, the first."""
        return next((kind for kind, (_, target) in self._targets().items() if target), CheckType.NONE)

    def problems(self, path: str = "") -> Iterator[Problem]:
        """What is wrong with the check."""
        yield from rules.printable(paths.join(path, "CheckID"), self.check_id)
        yield from rules.printable(paths.join(path, "ID"), self.id)
        words = [health.value for health in Health if health]
        if self.status and self.status not in words:
            what = f"{quoted(self.status)} is not the status of a check"
            remedy = f"use one of {', '.join(words)}"
            yield rules.problem(paths.join(path, "Status"), what, remedy, code=Code.NOT_A_CHOICE)
        yield from self._kind_problems(path)
        yield from self._target_problems(path)
        yield from self._request_problems(path)
        yield from self._time_problems(path)
        if self.failures_before_warning > self.failures_before_critical:
            what = (
                f"FailuresBeforeWarning may not exceed FailuresBeforeCritical, "
                f"as {self.failures_before_warning} exceeds {self.failures_before_critical}"
            )
            yield rules.problem(paths.join(path, "FailuresBeforeWarning"), what, code=Code.OUT_OF_RANGE)

    def probe(self) -> Probe | None:
        """How the server finds out the status; None if others say so."""
        kind = self.type
        if kind is CheckType.NONE:
            return None
        probed = kind in _PROBED
        tls = {CheckType.TCP: self.tcp_use_tls, CheckType.GRPC: self.grpc_use_tls}
        return Probe(
            target=self.http or self.tcp or self.udp or self.grpc or self.h2ping or self.alias_service,
            interval=max(self.interval, _SHORTEST_INTERVAL) if probed else Duration(),
            timeout=(self.timeout or _TIMEOUT) if probed else Duration(),
            ttl=self.ttl,
            method=(self.method or "GET") if kind is CheckType.HTTP else "",
            header={name: tuple(values) for name, values in self.header.items()},
            body=self.body,
            disable_redirects=self.disable_redirects,
            use_tls=self.h2ping_use_tls if kind is CheckType.H2PING else tls.get(kind, False),
            tls_server_name=self.tls_server_name,
            tls_skip_verify=self.tls_skip_verify,
            alias_node=self.alias_node,
            success_before_passing=self.success_before_passing,
            failures_before_warning=self.failures_before_warning or self.failures_before_critical,
            failures_before_critical=self.failures_before_critical,
            output_max_size=min(self.output_max_size or _MAX_OUTPUT, _MAX_OUTPUT),
        )

    def _targets(self) -> dict[CheckType, tuple[str, str | Duration]]:
        """By kind, what makes a check one of it, with its key."""
        alias = ("AliasService", self.alias_service) if self.alias_service else ("AliasNode", self.alias_node)
        return {
            CheckType.TTL: ("TTL", self.ttl),
            CheckType.HTTP: ("HTTP", self.http),
            CheckType.TCP: ("TCP", self.tcp),
            CheckType.UDP: ("UDP", self.udp),
            CheckType.GRPC: ("GRPC", self.grpc),
            CheckType.H2PING: ("H2PING", self.h2ping),
            CheckType.ALIAS: alias,
        }

    def _kind_problems(self, path: str) -> Iterator[Problem]:
        """That it is of one kind, and has an interval just if that kind probes."""
        yield from rules.exclusive(path, dict(self._targets().values()))
        interval = paths.join(path, "Interval")
        if self.type in _PROBED and not self.interval:
            what = "a check that probes something needs an Interval"
            yield rules.problem(interval, what, 'add Interval = "10s"', code=Code.REQUIRED)
        elif self.type is CheckType.NONE and not self.status:
            what = f"a check needs {_FAMILIES}, or else a Status, which it has until somebody changes it"
            yield rules.problem(path, what, "add one of them", code=Code.REQUIRED)
        elif self.type not in _PROBED and self.interval:
            what = "Interval is for checks that probe something: HTTP, TCP, UDP, GRPC and H2PING"
            yield rules.problem(interval, what, "remove it", code=Code.EXCLUDE_EACH_OTHER)

    def _target_problems(self, path: str) -> Iterator[Problem]:
        if self.http:
            yield from rules.web_address(paths.join(path, "HTTP"), self.http)
        yield from targets.host_and_port(paths.join(path, "TCP"), self.tcp)
        yield from targets.host_and_port(paths.join(path, "UDP"), self.udp)
        yield from targets.host_and_port(paths.join(path, "H2PING"), self.h2ping)
        yield from targets.grpc(paths.join(path, "GRPC"), self.grpc)
        yield from rules.printable(paths.join(path, "AliasService"), self.alias_service)
        yield from rules.printable(paths.join(path, "AliasNode"), self.alias_node)

    def _request_problems(self, path: str) -> Iterator[Problem]:
        yield from rules.method(paths.join(path, "Method"), self.method)
        for name, values in self.header.items():
            at = paths.key(paths.join(path, "Header"), name)
            yield from rules.header_name(at, name, pseudo=False)
            for value in values:
                yield from rules.single_line(at, value)
        yield from rules.single_line(paths.join(path, "TLSServerName"), self.tls_server_name)

    def _time_problems(self, path: str) -> Iterator[Problem]:
        for label, time in (
            ("TTL", self.ttl),
            ("Interval", self.interval),
            ("Timeout", self.timeout),
            ("DeregisterCriticalServiceAfter", self.deregister_critical_service_after),
        ):
            yield from rules.not_negative(paths.join(path, label), time)


class StandaloneCheck(CheckDefinition, frozen=True, kw_only=True):
    """A check that is registered by itself, of a service or, if it names none, of the node."""

    IGNORED: ClassVar[frozenset[str]] = CheckDefinition.IGNORED | {"WriteRequest"}

    service_id: str = field(default="", name="ServiceID")

    @property
    def own_id(self) -> str:
        """The id that it was given, else its name."""
        return super().own_id or self.name

    def problems(self, path: str = "") -> Iterator[Problem]:
        """What is wrong with the check; whether there is such a service is not known here."""
        yield from rules.required(paths.join(path, "Name"), self.name)
        yield from rules.printable(paths.join(path, "Name"), self.name)
        yield from rules.printable(paths.join(path, "ServiceID"), self.service_id)
        yield from super().problems(path)

    def check(self) -> Check:
        """The catalog's form of it; critical unless it says otherwise, and of no node yet."""
        return _check(self, self.own_id, self.name, self.service_id)


def check_ids(definitions: Sequence[CheckDefinition], service_id: str) -> tuple[str, ...]:
    """The ids of an instance's checks.

    One without an id is called after the instance, with its number from 1 if there are several.
    """
    several = len(definitions) > 1
    return tuple(
        definition.own_id or (f"service:{service_id}:{number}" if several else f"service:{service_id}")
        for number, definition in enumerate(definitions, start=1)
    )


def make_checks(definitions: Sequence[CheckDefinition], service: str, service_id: str) -> tuple[Check, ...]:
    """The catalog's form of an instance's checks, of no node yet.

    A check without a status is critical until somebody says otherwise.
    """
    ids = check_ids(definitions, service_id)
    return tuple(
        _check(definition, check_id, definition.name or f"Service '{service}' check", service_id)
        for definition, check_id in zip(definitions, ids, strict=True)
    )


def _check(definition: CheckDefinition, check_id: str, name: str, service_id: str) -> Check:
    after = definition.deregister_critical_service_after
    return Check(
        id=check_id,
        name=name,
        status=Health(definition.status or Health.CRITICAL),
        notes=definition.notes,
        service_id=service_id,
        type=definition.type,
        probe=definition.probe(),
        deregister_after=max(after, _SHORTEST_DEREGISTER) if after else after,
    )

"""``service-resolver``: which instances a name, or a subset of it, stands for."""

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from msgspec import field

from xdsmesh.config import filter as subset_filter
from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Entry, Shape
from xdsmesh.config.parts.load_balancer import LoadBalancer
from xdsmesh.config.wording import quoted, shortened
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem

_ALL_SUBSETS: Final = "*"
_MANY: Final = 10
"""How many names a problem shows."""
_SUBSET_NAME: Final = re.compile(r"(?=.{1,63}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?")


class Subset(Shape, frozen=True):
    """A named part of a service's instances; an empty filter is all of them."""

    filter: str = ""
    """Which instances are meant, as in `Service.Meta.version == 2`; empty is all."""
    only_passing: bool = False
    """Instances whose checks warn get no requests either."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the filter's syntax; whether its fields exist shows when it is applied."""
        if not self.filter:
            return
        try:
            subset_filter.parse(self.filter)
        except subset_filter.FilterSyntaxError as error:
            what = f"Filter: {error.message}, at its character {error.column}"
            yield rules.problem(f"{path}.Filter", what, code=Code.FILTER)


class Redirect(Shape, frozen=True):
    """Resolve this instead: another service, one of its subsets, or another datacenter."""

    service: str = ""
    """The service to resolve instead; empty is this one."""
    service_subset: str = ""
    """A subset of that service."""
    datacenter: str = ""
    """The datacenter to resolve it in."""
    peer: str = ""
    """The other mesh whose service it is; without subset and datacenter."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the redirect, whatever the resolver that holds it."""
        yield from rules.reference(f"{path}.Service", self.service)
        if self == Redirect():
            what, remedy = "Redirect is empty", "add Service, or Datacenter, or remove it"
            yield rules.problem(path, what, remedy, code=Code.REQUIRED)
        yield from rules.plain_name(f"{path}.Datacenter", self.datacenter)
        yield from _peer_problems(path, self)
        for label, value in (("ServiceSubset", self.service_subset), ("Peer", self.peer)):
            if value and not self.service:
                what = f"{label} needs Service beside it"
                yield rules.problem(f"{path}.{label}", what, "add Service", code=Code.NEEDS_ANOTHER)


class FailoverTarget(Shape, frozen=True):
    """An alternative; what is left out is as in the target that fails, but for the peer."""

    service: str = ""
    """The service; empty is this one."""
    service_subset: str = ""
    """A subset of that service."""
    datacenter: str = ""
    """Its datacenter."""
    peer: str = ""
    """The other mesh whose service it is; without subset and datacenter."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the target, whatever the resolver that holds it."""
        yield from rules.reference(f"{path}.Service", self.service)
        yield from rules.plain_name(f"{path}.Datacenter", self.datacenter)
        yield from _peer_problems(path, self)


class Failover(Shape, frozen=True):
    """Where requests go instead while no instance is healthy, in order."""

    ENTERPRISE: ClassVar[frozenset[str]] = frozenset({"Policy"})

    service: str = ""
    """The service to take instead; empty is this one."""
    service_subset: str = ""
    """A subset of that service."""
    datacenters: list[str] = field(default_factory=list)
    """The same in these datacenters, in order."""
    targets: list[FailoverTarget] = field(default_factory=list)
    """Alternatives in order, instead of the three other fields."""

    @property
    def services(self) -> frozenset[str]:
        """The services that it names."""
        return frozenset((self.service, *(target.service for target in self.targets))) - {""}

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the section, whatever the resolver that holds it."""
        yield from rules.reference(f"{path}.Service", self.service)
        for index, datacenter in enumerate(self.datacenters):
            at = paths.item(f"{path}.Datacenters", index)
            if datacenter:
                yield from rules.plain_name(at, datacenter)
            else:
                yield rules.problem(at, "the name of a datacenter is empty", "remove it", code=Code.REQUIRED)
        for index, target in enumerate(self.targets):
            yield from target.problems(paths.item(f"{path}.Targets", index))
        if self == Failover():
            what = "this failover leads nowhere"
            remedy = "add Service, ServiceSubset, Datacenters or Targets, or remove it"
            yield rules.problem(path, what, remedy, code=Code.REQUIRED)
        others = {
            "Service": self.service,
            "ServiceSubset": self.service_subset,
            "Datacenters": self.datacenters,
        }
        for label, value in others.items():
            if self.targets and value:
                what = f"Targets and {label} exclude each other"
                remedy = f"write {label} in each target instead"
                yield rules.problem(f"{path}.{label}", what, remedy, code=Code.EXCLUDE_EACH_OTHER)


class ServiceResolver(Entry, frozen=True, kw_only=True):
    """How a service name resolves to instances."""

    KIND: ClassVar[str] = "service-resolver"
    RANK: ClassVar[int] = 3
    ENTERPRISE: ClassVar[frozenset[str]] = frozenset({"PrioritizeByLocality"})

    default_subset: str = ""
    """The subset that is meant where none is named."""
    subsets: dict[str, Subset] = field(default_factory=dict)
    """Named parts of the service's instances; a name is a DNS label in lower case."""
    redirect: Redirect | None = None
    """What to resolve instead of this service; not together with `Failover`."""
    failover: dict[str, Failover] = field(default_factory=dict)
    """What to take while no instance is healthy, by subset; `*` is for all of them."""
    load_balancer: LoadBalancer | None = None
    """How the instances share the traffic."""
    connect_timeout: Duration = Duration()
    """How long connecting may take; 0 is 5 seconds."""
    request_timeout: Duration = Duration()
    """How long an answer may take where no router or splitter comes first; 0 is Envoy's 15 seconds."""

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        for name, subset in self.subsets.items():
            yield from _subset_name(paths.key("Subsets", name), name)
            yield from subset.problems(paths.key("Subsets", name))
        yield from self._declared("DefaultSubset", self.default_subset)
        if self.redirect:
            yield from self.redirect.problems("Redirect")
            if self.redirect.service == self.name:
                yield from self._declared("Redirect.ServiceSubset", self.redirect.service_subset)
        yield from self._failover_problems()
        yield from rules.not_negative("ConnectTimeout", self.connect_timeout)
        yield from rules.not_negative("RequestTimeout", self.request_timeout)
        if self.load_balancer:
            yield from self.load_balancer.problems("LoadBalancer")

    def warnings(self) -> Iterator[str]:
        """Filters that can be read, but select by what no instance has; and peers."""
        for name, subset in self.subsets.items():
            for problem in subset_filter.check(subset_filter.parse(subset.filter)):
                yield f'subset "{name}" gets no instances: {problem}'
        if self.load_balancer:
            yield from self.load_balancer.warnings("LoadBalancer")
        targets = [self.redirect, *(target for each in self.failover.values() for target in each.targets)]
        peers = {target.peer for target in targets if target}
        yield from (f'the peer "{peer}" can\'t be called yet' for peer in sorted(peers - {""}))

    def references(self) -> frozenset[str]:
        """The other services that this one redirects to, or that stand in for it."""
        redirected = frozenset({self.redirect.service} if self.redirect else ())
        return redirected.union(*(each.services for each in self.failover.values())) - {"", self.name}

    def _failover_problems(self) -> Iterator[Problem]:
        if self.redirect and self.failover:
            what = "Redirect and Failover exclude each other"
            remedy = "remove one; what is redirected takes the failover of the service that it leads to"
            yield rules.problem("Failover", what, remedy, code=Code.EXCLUDE_EACH_OTHER)
        for subset, failover in self.failover.items():
            path = paths.key("Failover", subset)
            if subset != _ALL_SUBSETS and subset not in self.subsets:
                what = f"{quoted(subset)} is not one of the Subsets of this entry"
                remedy = f'{self._choices()}; "{_ALL_SUBSETS}" is for all requests'
                yield rules.problem(path, what, remedy, code=Code.SUBSET_NOT_DECLARED)
            yield from failover.problems(path)
            yield from self._own_subset(path, failover.service, failover.service_subset)
            for index, target in enumerate(failover.targets):
                if not target.peer:
                    at = paths.item(f"{path}.Targets", index)
                    yield from self._own_subset(at, target.service, target.service_subset)

    def _own_subset(self, path: str, service: str, subset: str) -> Iterator[Problem]:
        """A subset of the entry's own service is checked at once; those of others, in their chains."""
        if service in ("", self.name):
            yield from self._declared(f"{path}.ServiceSubset", subset)

    def _declared(self, path: str, subset: str) -> Iterator[Problem]:
        if subset and subset not in self.subsets:
            what = f"{paths.label(path)} {quoted(subset)} is not one of the Subsets of this entry"
            yield rules.problem(path, what, self._choices(), code=Code.SUBSET_NOT_DECLARED)

    def _choices(self) -> str:
        names = [shortened(name) for name in self.subsets]
        more = ", ..." if len(names) > _MANY else ""
        return f"declared: {', '.join(names[:_MANY])}{more}" if names else "there are none"


def _peer_problems(path: str, target: Redirect | FailoverTarget) -> Iterator[Problem]:
    """What a peer exports is a whole service, and where it runs is the peer's affair."""
    yield from rules.plain_name(f"{path}.Peer", target.peer)
    for label, value in (("ServiceSubset", target.service_subset), ("Datacenter", target.datacenter)):
        if target.peer and value:
            what = f"Peer and {label} exclude each other"
            yield rules.problem(f"{path}.{label}", what, "keep one of them", code=Code.EXCLUDE_EACH_OTHER)


def _subset_name(path: str, name: str) -> Iterator[Problem]:
    """A subset's name is a DNS label, since it becomes one of an SNI."""
    if not _SUBSET_NAME.fullmatch(name):
        what = f"{quoted(name)} is no subset's name: 1 to 63 lower-case letters, digits and inner dashes"
        yield rules.problem(path, what, "rename the subset", code=Code.NAME)

"""``service-resolver``: which instances a name, or a subset of it, stands for."""

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from msgspec import field

from xdsmesh.config import filter as subset_filter
from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Entry, Shape
from xdsmesh.config.parts.load_balancer import LoadBalancer
from xdsmesh.config.wording import quoted
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem

_SUBSET_NAME: Final = re.compile(r"(?=.{1,63}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?")


class Subset(Shape, frozen=True):
    """A named part of a service's instances; an empty filter is all of them."""

    filter: str = ""
    only_passing: bool = False

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the filter's syntax; whether its fields exist shows when it is applied."""
        if not self.filter:
            return
        try:
            subset_filter.parse(self.filter)
        except subset_filter.FilterSyntaxError as error:
            yield rules.problem(f"{path}.Filter", f"Filter: {error.message}, at its character {error.column}")


class Redirect(Shape, frozen=True):
    """Resolve this instead: another service, one of its subsets, or another datacenter."""

    service: str = ""
    service_subset: str = ""
    datacenter: str = ""
    peer: str = ""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the redirect, whatever the resolver that holds it."""
        yield from rules.reference(f"{path}.Service", self.service)
        if self == Redirect():
            yield rules.problem(path, "Redirect is empty", "add Service, or Datacenter, or remove it")
        if self.service_subset and not self.service:
            yield rules.problem(
                f"{path}.ServiceSubset", "ServiceSubset needs Service beside it", "add Service"
            )


class FailoverTarget(Shape, frozen=True):
    """An alternative; what is left out is as in the target that fails, but for the peer."""

    service: str = ""
    service_subset: str = ""
    datacenter: str = ""
    peer: str = ""


class Failover(Shape, frozen=True):
    """Where requests go instead while no instance is healthy, in order."""

    service: str = ""
    service_subset: str = ""
    datacenters: list[str] = field(default_factory=list)
    targets: list[FailoverTarget] = field(default_factory=list)


class ServiceResolver(Entry, frozen=True, kw_only=True):
    """How a service name resolves to instances."""

    KIND: ClassVar[str] = "service-resolver"
    RANK: ClassVar[int] = 2
    ENTERPRISE: ClassVar[frozenset[str]] = frozenset({"PrioritizeByLocality"})

    default_subset: str = ""
    subsets: dict[str, Subset] = field(default_factory=dict)
    redirect: Redirect | None = None
    failover: dict[str, Failover] = field(default_factory=dict)
    load_balancer: LoadBalancer | None = None
    connect_timeout: Duration = Duration()
    request_timeout: Duration = Duration()

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        for name, subset in self.subsets.items():
            yield from _subset_name(paths.key("Subsets", name), name)
            yield from subset.problems(paths.key("Subsets", name))
        if self.default_subset:
            yield from self._declared("DefaultSubset", self.default_subset)
        if self.redirect:
            yield from self.redirect.problems("Redirect")
            if self.redirect.service == self.name and self.redirect.service_subset:
                yield from self._declared("Redirect.ServiceSubset", self.redirect.service_subset)
        for label, timeout in (
            ("ConnectTimeout", self.connect_timeout),
            ("RequestTimeout", self.request_timeout),
        ):
            if timeout < Duration():
                yield rules.problem(label, f"{label} may not be negative, as {timeout} is")

    def references(self) -> frozenset[str]:
        """The service that this one redirects to, if it is another one."""
        return frozenset({self.redirect.service} if self.redirect else ()) - {"", self.name}

    def _declared(self, path: str, subset: str) -> Iterator[Problem]:
        if subset not in self.subsets:
            known = ", ".join(self.subsets) or "there are none"
            what = f"{paths.label(path)} {quoted(subset)} is not one of the Subsets of this entry"
            yield rules.problem(path, what, f"declared: {known}" if self.subsets else known)


def _subset_name(path: str, name: str) -> Iterator[Problem]:
    """A subset's name is a DNS label, since it becomes one of an SNI."""
    if not _SUBSET_NAME.fullmatch(name):
        what = f"{quoted(name)} is no subset's name: 1 to 63 lower-case letters, digits and inner dashes"
        yield rules.problem(path, what, "rename the subset")

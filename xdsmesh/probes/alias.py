"""Checks that stand for others: the status of an alias follows from facts alone."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from xdsmesh.model.checks import Check, CheckStatus, CheckType, Health, Probe

_Key = tuple[str, str]
"""A check: its node and its id."""

_Group = tuple[str, str]
"""The checks of a service: its node and its id; an empty id is the node's own."""

_BADNESS: Final = {Health.PASSING: 0, Health.WARNING: 1, Health.CRITICAL: 2, Health.UNSAID: 2}


class Aliases:
    """Knows all checks and services, and judges the aliases of one node.

    An alias counts what it stands for, and through other aliases what those stand for, each check once. So a
    circle of aliases is as healthy as what else it reaches.
    """

    def __init__(self, node: str) -> None:
        self._node = node
        self._groups: defaultdict[_Group, dict[str, Check]] = defaultdict(dict)
        self._home: dict[_Key, _Group] = {}
        self._services: set[_Group] = set()
        self._followers: defaultdict[_Group, dict[_Key, None]] = defaultdict(dict)
        self._touched: dict[_Group, None] = {}
        self._new: dict[_Key, None] = {}

    def put_check(self, node: str, check_id: str, check: Check | None) -> None:
        """Take in a check as it is now; None: it is gone."""
        key = (node, check_id)
        self._take_out(key)
        if check is None:
            return
        home = self._home[key] = (node, check.service_id)
        self._groups[home][check_id] = check
        self._touched[home] = None
        if probe := _alias(check):
            self._new[key] = None
            for group in _targets(node, probe):
                self._followers[group][key] = None

    def put_service(self, node: str, service_id: str, *, exists: bool) -> None:
        """Take in that there is an instance, or none any more."""
        service = (node, service_id)
        if exists == (service in self._services):
            return
        (self._services.add if exists else self._services.discard)(service)
        self._touched[service] = None

    def judge(self) -> Iterator[tuple[str, CheckStatus]]:
        """The aliases of the node that may have changed since the last call, with what they say now."""
        for node, check_id in self._affected():
            home = self._home.get((node, check_id))
            if node == self._node and home:
                yield check_id, self._say(self._groups[home][check_id])

    def _take_out(self, key: _Key) -> None:
        home = self._home.pop(key, None)
        if home is None:
            return
        checks = self._groups[home]
        check = checks.pop(key[1])
        if not checks:
            del self._groups[home]
        self._touched[home] = None
        if probe := _alias(check):
            for group in _targets(key[0], probe):
                followers = self._followers[group]
                del followers[key]
                if not followers:
                    del self._followers[group]

    def _affected(self) -> dict[_Key, None]:
        """Those who follow what was touched, those who follow them, and so on."""
        affected, self._new = self._new, {}
        touched, self._touched = self._touched, {}
        queue = list(touched)
        for group in queue:  # grows while it is read
            for key in self._followers.get(group, ()):
                affected[key] = None
                if self._home[key] not in touched:
                    touched[self._home[key]] = None
                    queue.append(self._home[key])
        return affected

    def _say(self, alias: Check) -> CheckStatus:
        checks: list[Check] = []
        groups: dict[_Group, None] = {}
        queue = [(self._node, alias)]
        for node, each in queue:  # grows while it is read
            targets = _targets(node, probe) if (probe := _alias(each)) else ()
            if targets and targets[0][1] and targets[0] not in self._services:
                where, service_id = targets[0]
                return CheckStatus(Health.CRITICAL, f"Service {service_id} is not registered on node {where}")
            for group in targets:
                if group in groups:
                    continue
                groups[group] = None
                for check in self._groups.get(group, {}).values():
                    if _alias(check):
                        queue.append((group[0], check))
                    else:
                        checks.append(check)
        return _worst(checks)


def _alias(check: Check) -> Probe | None:
    return check.probe if check.type is CheckType.ALIAS else None


def _targets(node: str, probe: Probe) -> tuple[_Group, ...]:
    """What an alias counts: the checks of its service, if it has one, and those of the node."""
    where = probe.alias_node or node
    return ((where, probe.target), (where, "")) if probe.target else ((where, ""),)


def _worst(checks: list[Check]) -> CheckStatus:
    if not checks:
        return CheckStatus(Health.PASSING, "No checks found.")
    worst = min(checks, key=lambda check: (-_BADNESS[check.status], check.id))
    if worst.status is Health.PASSING:
        return CheckStatus(Health.PASSING, "All checks passing.")
    health = Health.WARNING if worst.status is Health.WARNING else Health.CRITICAL
    return CheckStatus(health, f'Aliased check "{worst.name}" failing: {worst.output}')

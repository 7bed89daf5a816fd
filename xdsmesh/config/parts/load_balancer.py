"""How the instances of a service share its traffic."""

from collections.abc import Iterator
from typing import Final

import msgspec

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Shape, UInt32, UInt64
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem

POLICIES: Final = ("", "random", "round_robin", "least_request", "ring_hash", "maglev")
HASH_BASED: Final = frozenset({"ring_hash", "maglev"})
HASH_FIELDS: Final = ("", "header", "cookie", "query_parameter")

_LARGEST_RING: Final = 2**23
_FEWEST_CHOICES: Final = 2


class RingHashConfig(Shape, frozen=True):
    """The size of the ring, in entries; 0 is Envoy's default.

    Limits: https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/load_balancing_policies/ring_hash/v3/ring_hash.proto
    """

    minimum_ring_size: UInt64 = 0
    """The smallest ring."""
    maximum_ring_size: UInt64 = 0
    """The largest ring."""

    def warnings(self, path: str) -> Iterator[str]:
        """Sizes that Envoy would refuse: they are brought within its limits."""
        largest = min(self.maximum_ring_size or _LARGEST_RING, _LARGEST_RING)
        for label, size in (
            ("MinimumRingSize", self.minimum_ring_size),
            ("MaximumRingSize", self.maximum_ring_size),
        ):
            if size > largest:
                yield f"{path}.{label} is taken as {largest}, which is as large as the ring can be"


class LeastRequestConfig(Shape, frozen=True):
    """How many instances are compared; 0 is Envoy's default."""

    choice_count: UInt32 = 0
    """The number, from 2."""

    def warnings(self, path: str) -> Iterator[str]:
        """A number that Envoy would refuse: it is brought within its limits."""
        if 0 < self.choice_count < _FEWEST_CHOICES:
            yield f"{path}.ChoiceCount is taken as {_FEWEST_CHOICES}, which is the least"


class CookieConfig(Shape, frozen=True):
    """The cookie that Envoy makes where there is none; a session cookie ends with the browser."""

    session: bool = False
    """The cookie ends with the browser."""
    ttl: Duration = msgspec.field(default=Duration(), name="TTL")
    """How long it lasts; not together with `Session`."""
    path: str = ""
    """The path that it is for."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the cookie."""
        yield from rules.exclusive(path, {"Session": self.session, "TTL": self.ttl})
        yield from rules.not_negative(f"{path}.TTL", self.ttl)
        yield from rules.single_line(f"{path}.Path", self.path)


class HashPolicy(Shape, frozen=True):
    """What of a request is hashed. ``terminal``: where it yields something, later policies don't count."""

    field: str = ""
    """`header`, `cookie` or `query_parameter`."""
    field_value: str = ""
    """Which header, cookie or parameter."""
    cookie_config: CookieConfig | None = None
    """For `cookie`: what to do where there is none."""
    source_ip: bool = msgspec.field(default=False, name="SourceIP")
    """The caller's address; not together with `Field`."""
    terminal: bool = False
    """Where this yields something, later policies don't count."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the policy."""
        yield from rules.one_of(f"{path}.Field", self.field, HASH_FIELDS)
        if self.source_ip and (self.field or self.field_value):
            named = {"SourceIP": True, "Field": self.field, "FieldValue": self.field_value}
            yield from rules.exclusive(path, named)
        elif not self.source_ip:
            yield from self._field_problems(path)
        if self.cookie_config:
            yield from self._cookie_problems(f"{path}.CookieConfig", self.cookie_config)

    def _field_problems(self, path: str) -> Iterator[Problem]:
        if bool(self.field) != bool(self.field_value):
            missing, given = ("FieldValue", "Field") if self.field else ("Field", "FieldValue")
            what = f"{given} needs {missing} beside it"
            yield rules.problem(path, what, f"add {missing}", code=Code.NEEDS_ANOTHER)
        elif self.field == "header":
            yield from rules.header_name(f"{path}.FieldValue", self.field_value)
        else:
            yield from rules.single_line(f"{path}.FieldValue", self.field_value)

    def _cookie_problems(self, path: str, cookie: CookieConfig) -> Iterator[Problem]:
        if self.field != "cookie":
            what = 'CookieConfig is only for Field "cookie"'
            yield rules.problem(path, what, "remove it", code=Code.NEEDS_ANOTHER)
        yield from cookie.problems(path)


class LoadBalancer(Shape, frozen=True):
    """The policy by Envoy's name for it, and its settings; an empty policy is round robin."""

    policy: str = ""
    """`random`, `round_robin`, `least_request`, `ring_hash` or `maglev`; empty is `round_robin`."""
    ring_hash_config: RingHashConfig | None = None
    """For `ring_hash`."""
    least_request_config: LeastRequestConfig | None = None
    """For `least_request`."""
    hash_policies: list[HashPolicy] = msgspec.field(default_factory=list)
    """For `ring_hash` and `maglev`: what of a request is hashed, in order."""

    @property
    def is_hash_based(self) -> bool:
        """Equal requests go to the same instance."""
        return self.policy in HASH_BASED

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the policy and its settings."""
        yield from rules.one_of(f"{path}.Policy", self.policy, POLICIES)
        if self.ring_hash_config:
            yield from self._only_with(f"{path}.RingHashConfig", "ring_hash")
        if self.least_request_config:
            yield from self._only_with(f"{path}.LeastRequestConfig", "least_request")
        if self.hash_policies:
            yield from self._only_with(f"{path}.HashPolicies", "ring_hash", "maglev")
        for index, policy in enumerate(self.hash_policies):
            yield from policy.problems(paths.item(f"{path}.HashPolicies", index))

    def warnings(self, path: str) -> Iterator[str]:
        """What is accepted and has not the effect that it seems to have."""
        if self.ring_hash_config:
            yield from self.ring_hash_config.warnings(f"{path}.RingHashConfig")
        if self.least_request_config:
            yield from self.least_request_config.warnings(f"{path}.LeastRequestConfig")
        for index, policy in enumerate(self.hash_policies):
            if not policy.field and not policy.source_ip:
                yield f"{paths.item(f'{path}.HashPolicies', index)} has no effect: there is nothing to hash"

    def _only_with(self, path: str, *policies: str) -> Iterator[Problem]:
        if self.policy not in policies:
            what = f"{paths.label(path)} is only for the policy {' or '.join(policies)}"
            yield rules.problem(path, what, "remove it, or change Policy", code=Code.NEEDS_ANOTHER)

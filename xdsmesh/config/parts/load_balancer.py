"""How the instances of a service share its traffic."""

from typing import Final

import msgspec

from xdsmesh.config.entry import Shape, UInt32, UInt64
from xdsmesh.model.duration import Duration

POLICIES: Final = ("", "random", "round_robin", "least_request", "ring_hash", "maglev")
HASH_BASED: Final = frozenset({"ring_hash", "maglev"})
HASH_FIELDS: Final = ("header", "cookie", "query_parameter")


class RingHashConfig(Shape, frozen=True):
    """The size of the ring, in entries; 0 is Envoy's default."""

    minimum_ring_size: UInt64 = 0
    maximum_ring_size: UInt64 = 0


class LeastRequestConfig(Shape, frozen=True):
    """How many instances are compared; 0 is Envoy's default."""

    choice_count: UInt32 = 0


class CookieConfig(Shape, frozen=True):
    """The cookie that Envoy makes where there is none; a session cookie ends with the browser."""

    session: bool = False
    ttl: Duration = msgspec.field(default=Duration(), name="TTL")
    path: str = ""


class HashPolicy(Shape, frozen=True):
    """What of a request is hashed. ``terminal``: where it yields something, later policies don't count."""

    field: str = ""
    field_value: str = ""
    cookie_config: CookieConfig | None = None
    source_ip: bool = msgspec.field(default=False, name="SourceIP")
    terminal: bool = False


class LoadBalancer(Shape, frozen=True):
    """The policy by Envoy's name for it, and its settings; an empty policy is round robin."""

    policy: str = ""
    ring_hash_config: RingHashConfig | None = None
    least_request_config: LeastRequestConfig | None = None
    hash_policies: list[HashPolicy] = msgspec.field(default_factory=list)

    @property
    def is_hash_based(self) -> bool:
        """Equal requests go to the same instance."""
        return self.policy in HASH_BASED

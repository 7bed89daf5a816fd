"""How instances share the traffic, and what of a request decides where it goes."""

from typing import Final

from xdsmesh.config.parts import load_balancer as config
from xdsmesh.config.parts.load_balancer import LoadBalancer
from xdsmesh.ir.types import Balance, HashField, HashPolicy, LoadBalancing
from xdsmesh.model.duration import Duration

_MAX_RING: Final = 8 * 1024 * 1024
_DEFAULT_MIN_RING: Final = 1024
_LEAST_CHOICES: Final = 2
_DEFAULT: Final = LoadBalancing()


def build_load_balancing(written: LoadBalancer | None) -> LoadBalancing:
    """The policy of a cluster; settings that Envoy would refuse are brought within its limits.

    Limits: https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto
    """
    if written is None:
        return _DEFAULT
    balance = Balance(written.policy or Balance.ROUND_ROBIN)
    if balance is Balance.RING_HASH and written.ring_hash_config:
        ring = written.ring_hash_config
        smallest, largest = min(ring.minimum_ring_size, _MAX_RING), min(ring.maximum_ring_size, _MAX_RING)
        if largest and (smallest or _DEFAULT_MIN_RING) > largest:
            smallest = largest
        return LoadBalancing(balance, smallest, largest)
    if balance is Balance.LEAST_REQUEST and written.least_request_config:
        choices = written.least_request_config.choice_count
        return LoadBalancing(balance, choice_count=max(choices, _LEAST_CHOICES) if choices else 0)
    return LoadBalancing(balance)


def build_hash_policies(written: LoadBalancer | None) -> tuple[HashPolicy, ...]:
    """What of a request is hashed, in order; nothing where the policy of the cluster does not hash."""
    if written is None or not written.is_hash_based:
        return ()
    return tuple(_hash_policy(policy) for policy in written.hash_policies if policy.source_ip or policy.field)


def hashes_source_ip(written: LoadBalancer | None) -> bool:
    """Connections of one address belong to one instance. Of bytes nothing else can be hashed."""
    return any(policy.field is HashField.SOURCE_IP for policy in build_hash_policies(written))


def _hash_policy(policy: config.HashPolicy) -> HashPolicy:
    if policy.source_ip:
        return HashPolicy(HashField.SOURCE_IP, terminal=policy.terminal)
    field = HashField(policy.field)
    cookie = policy.cookie_config if field is HashField.COOKIE else None
    return HashPolicy(
        field=field,
        name=policy.field_value,
        ttl=_ttl(cookie) if cookie else None,
        path=cookie.path if cookie else "",
        terminal=policy.terminal,
    )


def _ttl(cookie: config.CookieConfig) -> Duration | None:
    """A cookie without a time to live is not made, but for one of the session."""
    if cookie.session:
        return Duration()
    return cookie.ttl if cookie.ttl > Duration() else None

"""Identity: SPIFFE ids, the certificates that carry them, and the roots that vouch for them.

SPIFFE ids: https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md
"""

from dataclasses import dataclass, field
from datetime import datetime


def service_spiffe_id(trust_domain: str, datacenter: str, service: str) -> str:
    """The identity of a service, shared by its instances and subsets."""
    return f"spiffe://{trust_domain}/ns/default/dc/{datacenter}/svc/{service}"


@dataclass(frozen=True, slots=True)
class TrustBundle:
    """The root certificates to believe: PEM, each ending in a newline."""

    trust_domain: str
    roots_pem: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """A service's certificate chain (leaf first) and its key, both PEM."""

    spiffe_id: str
    chain_pem: str
    key_pem: str = field(repr=False)
    not_before: datetime
    not_after: datetime

"""Identity: SPIFFE ids, the certificates that carry them, and the roots that vouch for them.

SPIFFE ids: https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

KEY_BITS: Final[Mapping[str, tuple[int, ...]]] = {"ec": (256, 224, 384, 521), "rsa": (2048, 4096)}
"""The sizes of keys that an authority may have, by Consul's names of their types; the usual one first."""


@dataclass(frozen=True, slots=True)
class KeyKind:
    """The type of a private key, ``ec`` or ``rsa``, and its size."""

    type: str
    bits: int

    @property
    def is_slow(self) -> bool:
        """Whether it takes long to make such a key: up to seconds."""
        return self.type == "rsa"

    def __str__(self) -> str:
        return f"{self.type} {self.bits}"


P256: Final = KeyKind("ec", 256)


def server_spiffe_id(trust_domain: str, datacenter: str) -> str:
    """The identity of the servers of a datacenter."""
    return f"spiffe://{trust_domain}/agent/server/dc/{datacenter}"


def service_spiffe_id(trust_domain: str, datacenter: str, service: str) -> str:
    """The identity of a service, shared by its instances and subsets."""
    return f"spiffe://{trust_domain}/ns/default/dc/{datacenter}/svc/{service}"


def mesh_gateway_id(trust_domain: str, datacenter: str) -> str:
    """The name of the mesh gateways of a datacenter. No certificate has it: they prove nothing to anybody."""
    return f"spiffe://{trust_domain}/gateway/mesh/dc/{datacenter}"


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

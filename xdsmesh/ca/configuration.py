"""What of the certificate authority can be changed while it runs; kept in the store under ``ca/``."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

import msgspec

from xdsmesh.ca.sealing import Sealer
from xdsmesh.model.duration import Duration
from xdsmesh.model.trust import P256, KeyKind
from xdsmesh.store.base import Put, Record

CONFIGURATION_KEY: Final = "ca/configuration"

BUILTIN: Final = "consul"
"""What Consul calls its built-in provider; ours stands in for it."""

VAULT: Final = "vault"

PRIMARY: Final = "primary"
"""The provider of a secondary datacenter: the roots are the primary's."""


@dataclass(frozen=True, slots=True)
class VaultSettings:
    """Where Vault has the roots, and how it is reached. Texts that are empty were not given.

    Without a ``token`` the one of the environment counts, which is in ``VAULT_TOKEN``.
    """

    address: str
    root_pki_path: str
    namespace: str = ""
    ca_file: str = ""
    ca_path: str = ""
    tls_server_name: str = ""
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Who has the roots, how certificates are made, and the revisions that first and last said so.

    ``kind`` is that of the keys of roots. Lifetimes are those of certificates that are made from now on.
    ``primary`` is the datacenter that has the roots, if this is a secondary.
    """

    provider: str = BUILTIN
    leaf_lifetime: timedelta = timedelta(hours=72)
    intermediate_lifetime: timedelta = timedelta(hours=8760)
    root_lifetime: timedelta = timedelta(hours=87_600)
    kind: KeyKind = P256
    vault: VaultSettings | None = None
    primary: str = ""
    created: int = 0
    modified: int = 0

    @property
    def home_of_roots(self) -> tuple[object, ...]:
        """What can't change without another root."""
        vault = self.vault
        return (
            self.provider,
            self.kind,
            vault and (vault.address, vault.namespace, vault.root_pki_path),
        )


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The value at ``ca/configuration``; lifetimes as Go writes them. At first it had only that of leaves.

    The token of Vault stands in ``vault_token`` alone, and sealed.
    """

    leaf_cert_ttl: str
    intermediate_cert_ttl: str = "8760h0m0s"
    root_cert_ttl: str = "87600h0m0s"
    provider: str = BUILTIN
    private_key_type: str = P256.type
    private_key_bits: int = P256.bits
    vault: VaultSettings | None = None
    vault_token: bytes = b""
    primary: str = ""


def decode(record: Record, sealer: Sealer) -> Configuration:
    """The configuration that a record holds.

    Raises:
        ValueError: it holds something else.
        RefusedError: the token of Vault was sealed with another key.
    """
    stored = msgspec.json.decode(record.value, type=_Stored)
    vault = stored.vault
    if vault and stored.vault_token:
        vault = replace(vault, token=sealer.open(CONFIGURATION_KEY, stored.vault_token).decode())
    return Configuration(
        provider=stored.provider,
        leaf_lifetime=_span(stored.leaf_cert_ttl),
        intermediate_lifetime=_span(stored.intermediate_cert_ttl),
        root_lifetime=_span(stored.root_cert_ttl),
        kind=KeyKind(stored.private_key_type, stored.private_key_bits),
        vault=vault,
        primary=stored.primary,
        created=record.created,
        modified=record.modified,
    )


def put(configuration: Configuration, sealer: Sealer) -> Put:
    """What stores a configuration."""
    vault = configuration.vault
    token = vault.token if vault else ""
    stored = _Stored(
        leaf_cert_ttl=_text(configuration.leaf_lifetime),
        intermediate_cert_ttl=_text(configuration.intermediate_lifetime),
        root_cert_ttl=_text(configuration.root_lifetime),
        provider=configuration.provider,
        private_key_type=configuration.kind.type,
        private_key_bits=configuration.kind.bits,
        vault=replace(vault, token="") if vault else None,
        vault_token=sealer.seal(CONFIGURATION_KEY, token.encode()) if token else b"",
        primary=configuration.primary,
    )
    return Put(CONFIGURATION_KEY, msgspec.json.encode(stored))


def _span(text: str) -> timedelta:
    return timedelta(seconds=Duration.parse(text).seconds)


def _text(span: timedelta) -> str:
    return str(Duration.of(milliseconds=span // timedelta(milliseconds=1)))

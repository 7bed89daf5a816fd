"""The configuration of the certificate authority, as callers of the HTTP API write it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar, Final

from msgspec import field

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Definition
from xdsmesh.config.vault import VAULT, VaultConfig
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem
from xdsmesh.model.trust import KEY_BITS, KeyKind

PROVIDER: Final = "consul"
"""What Consul calls its built-in CA; ours stands in for it."""

_LEAF_LIFETIME: Final = Duration.parse("72h")
_INTERMEDIATE_LIFETIME: Final = Duration.parse("8760h")
_ROOT_LIFETIME: Final = Duration.parse("87600h")
_SHORTEST: Final = Duration.parse("1h")
_LONGEST: Final = Duration.parse("8760h")
_SHORTEST_INTERMEDIATE: Final = Duration.parse("3h")
_LEAVES: Final = 3
"""An intermediate lives at least as long as so many leaves one after the other."""


class ProviderConfig(VaultConfig, frozen=True):
    """The settings of a CA. What is left out of the key is as it was, and so is Vault's token."""

    IGNORED: ClassVar[frozenset[str]] = VaultConfig.IGNORED | {"RotationPeriod"}

    leaf_cert_ttl: Duration = field(default=_LEAF_LIFETIME, name="LeafCertTTL")
    intermediate_cert_ttl: Duration = field(default=_INTERMEDIATE_LIFETIME, name="IntermediateCertTTL")
    root_cert_ttl: Duration = field(default=_ROOT_LIFETIME, name="RootCertTTL")
    private_key: str = ""
    private_key_type: str = ""
    private_key_bits: int = 0
    root_cert: str = ""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the settings."""
        yield from self._lifetimes(path)
        yield from self._key(path)
        for label, is_given in (("PrivateKey", self.private_key), ("RootCert", self.root_cert)):
            if is_given:
                what = f"a {label} of one's own can't be given: the CA makes its roots"
                yield rules.problem(f"{path}.{label}", what, "leave it out", code=Code.NOT_BUILT)

    def key_kind(self, current: KeyKind) -> KeyKind:
        """The kind of key that is wanted, where there is this one."""
        if not self.private_key_type:
            return current
        return KeyKind(self.private_key_type, self.private_key_bits or KEY_BITS[self.private_key_type][0])

    def _lifetimes(self, path: str) -> Iterator[Problem]:
        leaf, intermediate, root = self.leaf_cert_ttl, self.intermediate_cert_ttl, self.root_cert_ttl
        if not _SHORTEST <= leaf <= _LONGEST:
            remedy = f"write from {short(_SHORTEST)} to {short(_LONGEST)}"
            yield _out_of_range(f"{path}.LeafCertTTL", leaf, remedy)
        shortest = max(_SHORTEST_INTERMEDIATE, Duration(_LEAVES * min(leaf, _LONGEST).nanoseconds))
        if intermediate < shortest:
            remedy = f"write at least {short(shortest)}: three times LeafCertTTL, and not less than 3h"
            yield _out_of_range(f"{path}.IntermediateCertTTL", intermediate, remedy)
        if root < intermediate:
            remedy = f"write at least {short(intermediate)}, which is IntermediateCertTTL"
            yield _out_of_range(f"{path}.RootCertTTL", root, remedy)

    def _key(self, path: str) -> Iterator[Problem]:
        kind, bits = self.private_key_type, self.private_key_bits
        yield from rules.one_of(f"{path}.PrivateKeyType", kind, ("", *KEY_BITS))
        if bits and not kind:
            what, remedy = "PrivateKeyBits means nothing without PrivateKeyType", "add PrivateKeyType"
            yield rules.problem(f"{path}.PrivateKeyBits", what, remedy, code=Code.NEEDS_ANOTHER)
        elif bits and bits not in KEY_BITS.get(kind, (bits,)):
            what = f"PrivateKeyBits can't be {bits} for {kind}"
            remedy = f"use one of {', '.join(map(str, sorted(KEY_BITS[kind])))}"
            yield rules.problem(f"{path}.PrivateKeyBits", what, remedy, code=Code.NOT_A_CHOICE)


class CAConfigurationBody(Definition, frozen=True):
    """Who issues certificates, and how."""

    IGNORED: ClassVar[frozenset[str]] = frozenset(
        {"CreateIndex", "ModifyIndex", "State", "ForceWithoutCrossSigning"}
    )

    provider: str = ""
    config: ProviderConfig = ProviderConfig()

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the configuration."""
        yield from rules.required("Provider", self.provider)
        yield from rules.one_of("Provider", self.provider, ("", PROVIDER, VAULT))
        yield from self.config.problems("Config")
        yield from self.config.vault_problems("Config", is_wanted=self.provider == VAULT)


def _out_of_range(path: str, value: Duration, remedy: str) -> Problem:
    what = f"{paths.label(path)} can't be {short(value)}"
    return rules.problem(path, what, remedy, code=Code.OUT_OF_RANGE)


def short(duration: Duration) -> str:
    """A duration as people write it: ``72h``, where Go has ``72h0m0s``."""
    text = str(duration)
    text = text.removesuffix("0s") if text.endswith("m0s") else text
    return text.removesuffix("0m") if text.endswith("h0m") else text


def duration_of(span: timedelta) -> Duration:
    """A span of Python's, to the second."""
    return Duration.of(seconds=int(span.total_seconds()))

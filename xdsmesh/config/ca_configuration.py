"""The configuration of the certificate authority, as callers of the HTTP API write it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar, Final

from msgspec import field

from xdsmesh.config import rules
from xdsmesh.config.entry import Definition, Shape
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem

PROVIDER: Final = "consul"
"""What Consul calls its built-in CA; ours stands in for it."""

ROOT_LIFETIME: Final = Duration.parse("87600h")
INTERMEDIATE_LIFETIME: Final = Duration.parse("8760h")
"""What Consul shows for certificates between root and leaf; here there are none."""

_LEAF_LIFETIME: Final = Duration.parse("72h")
_SHORTEST: Final = Duration.parse("1h")
_LONGEST: Final = Duration.parse("8760h")
_KEY_TYPE: Final = "ec"
_KEY_BITS: Final = 256
_REMEDY: Final = "leave it as GET /v1/connect/ca/configuration shows it"


class ProviderConfig(Shape, frozen=True):
    """The settings of the built-in CA. All but the lifetime of leaves are those of the root that there is."""

    IGNORED: ClassVar[frozenset[str]] = frozenset({"RotationPeriod"})

    leaf_cert_ttl: Duration = field(default=_LEAF_LIFETIME, name="LeafCertTTL")
    intermediate_cert_ttl: Duration = field(default=INTERMEDIATE_LIFETIME, name="IntermediateCertTTL")
    root_cert_ttl: Duration = field(default=ROOT_LIFETIME, name="RootCertTTL")
    private_key: str = ""
    private_key_type: str = _KEY_TYPE
    private_key_bits: int = _KEY_BITS
    root_cert: str = ""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the settings, or would need another root."""
        if not _SHORTEST <= self.leaf_cert_ttl <= _LONGEST:
            what = f"LeafCertTTL can't be {short(self.leaf_cert_ttl)}"
            remedy = f"write from {short(_SHORTEST)} to {short(_LONGEST)}"
            yield rules.problem(f"{path}.LeafCertTTL", what, remedy, code=Code.OUT_OF_RANGE)
        needs_a_root = {
            "IntermediateCertTTL": self.intermediate_cert_ttl != INTERMEDIATE_LIFETIME,
            "RootCertTTL": self.root_cert_ttl != ROOT_LIFETIME,
            "PrivateKey": bool(self.private_key),
            "PrivateKeyType": self.private_key_type not in ("", _KEY_TYPE),
            "PrivateKeyBits": self.private_key_bits not in (0, _KEY_BITS),
            "RootCert": bool(self.root_cert),
        }
        for label, is_asked in needs_a_root.items():
            if is_asked:
                what = f"another {label} needs another root, and the rotation of roots is not built yet"
                yield rules.problem(f"{path}.{label}", what, _REMEDY, code=Code.NOT_BUILT)


class CAConfigurationBody(Definition, frozen=True):
    """Who issues certificates, and how."""

    IGNORED: ClassVar[frozenset[str]] = frozenset(
        {"CreateIndex", "ModifyIndex", "State", "ForceWithoutCrossSigning"}
    )

    provider: str = ""
    config: ProviderConfig = ProviderConfig()

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the configuration, or would need another root."""
        yield from rules.required("Provider", self.provider)
        if self.provider not in ("", PROVIDER):
            what = "another Provider needs another root, and the rotation of roots is not built yet"
            yield rules.problem("Provider", what, f'use "{PROVIDER}"', code=Code.NOT_BUILT)
        yield from self.config.problems("Config")


def short(duration: Duration) -> str:
    """A duration as people write it: ``72h``, where Go has ``72h0m0s``."""
    text = str(duration)
    text = text.removesuffix("0s") if text.endswith("m0s") else text
    return text.removesuffix("0m") if text.endswith("h0m") else text


def duration_of(span: timedelta) -> Duration:
    """A span of Python's, to the second."""
    return Duration.of(seconds=int(span.total_seconds()))

"""What TLS connections may be like: their versions, cipher suites and curves.

Words and limits: https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/common.proto
"""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import field

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Shape
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

VERSIONS: Final = ("TLSv1_0", "TLSv1_1", "TLSv1_2", "TLSv1_3")
"""Oldest first."""

CIPHER_SUITES: Final = (
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
)
"""By the names of RFC 8446's predecessors; those of TLS 1.3 can't be chosen."""

CURVES: Final = ("X25519MLKEM768", "X25519", "P-256", "P-384", "P-521")

_AUTO: Final = ("", "TLS_AUTO")
_NEWEST: Final = "TLSv1_3"
_BEFORE_CURVES: Final = ("TLSv1_0", "TLSv1_1")


class TLSParameters(Shape, frozen=True):
    """The versions and cipher suites of TLS connections. What is left out is Envoy's choice."""

    tls_min_version: str = field(default="", name="TLSMinVersion")
    """The oldest version that is spoken: `TLS_AUTO`, `TLSv1_0`, `TLSv1_1`, `TLSv1_2` or `TLSv1_3`."""
    tls_max_version: str = field(default="", name="TLSMaxVersion")
    """The newest version that is spoken."""
    cipher_suites: list[str] = field(default_factory=list)
    """The cipher suites up to TLS 1.2, the best first."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the parameters."""
        given = (self.tls_min_version, self.tls_max_version)
        yield from version_problems((f"{path}.TLSMinVersion", f"{path}.TLSMaxVersion"), given)
        yield from suite_problems(f"{path}.CipherSuites", self.cipher_suites, self.tls_min_version)


def version_problems(paths_: tuple[str, str], versions: tuple[str, str]) -> Iterator[Problem]:
    """What is wrong with the oldest and the newest version, each at its path."""
    for path, version in zip(paths_, versions, strict=True):
        yield from rules.one_of(path, version, (*_AUTO, *VERSIONS))
    oldest, newest = (VERSIONS.index(each) if each in VERSIONS else None for each in versions)
    if oldest is not None and newest is not None and newest < oldest:
        labels = [paths.label(path) for path in paths_]
        what = f"{labels[1]} {versions[1]} is older than {labels[0]} {versions[0]}"
        yield rules.problem(paths_[1], what, f"raise {labels[1]}", code=Code.TLS)


def suite_problems(path: str, suites: Sequence[str], oldest: str) -> Iterator[Problem]:
    """What is wrong with cipher suites, given the oldest version."""
    for index, suite in enumerate(suites):
        yield from rules.one_of(paths.item(path, index), suite, CIPHER_SUITES)
    if suites and oldest == _NEWEST:
        what = "CipherSuites can't be chosen where TLS 1.3 is the oldest version"
        yield rules.problem(path, what, "remove CipherSuites", code=Code.TLS)


def curve_problems(path: str, curves: Sequence[str], oldest: str) -> Iterator[Problem]:
    """What is wrong with curves, given the oldest version."""
    for index, curve in enumerate(curves):
        yield from rules.one_of(paths.item(path, index), curve, CURVES)
    if curves and oldest in _BEFORE_CURVES:
        what = f"ECDHCurves can't be chosen where {oldest} is the oldest version"
        yield rules.problem(path, what, "raise TLSMinVersion to TLSv1_2", code=Code.TLS)

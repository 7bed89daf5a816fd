"""What TLS connections between sidecars may be like."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class TlsVersion(IntEnum):
    """A version of TLS; newer is greater."""

    TLS_1_0 = 10
    TLS_1_1 = 11
    TLS_1_2 = 12
    TLS_1_3 = 13


@dataclass(frozen=True, slots=True)
class TlsParameters:
    """The versions, and what of each direction is chosen by name; no names are Envoy's choice.

    ``newest`` is said in any case: left out, an Envoy that calls would stop at TLS 1.2, and could not reach
    one that wants TLS 1.3. ``cipher_suites`` have BoringSSL's names and are those up to TLS 1.2.
    https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/common.proto
    """

    oldest: TlsVersion = TlsVersion.TLS_1_2
    newest: TlsVersion = TlsVersion.TLS_1_3
    cipher_suites: tuple[str, ...] = ()
    curves: tuple[str, ...] = ()


USUAL: Final = TlsParameters()
"""Where nothing else is said."""

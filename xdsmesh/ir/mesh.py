"""What the ``mesh`` entry says of every sidecar, by direction: as callee, and as caller."""

from dataclasses import dataclass
from typing import Final

from xdsmesh.config.kinds.mesh import Mesh, MeshTLSParameters, RequestNormalization
from xdsmesh.ir.normalization import EscapedSlashes, Normalization, Underscores
from xdsmesh.ir.tls import USUAL, TlsParameters, TlsVersion

_VERSIONS: Final = {
    "TLSv1_0": TlsVersion.TLS_1_0,
    "TLSv1_1": TlsVersion.TLS_1_1,
    "TLSv1_2": TlsVersion.TLS_1_2,
    "TLSv1_3": TlsVersion.TLS_1_3,
}


@dataclass(frozen=True, slots=True)
class Incoming:
    """What holds for calls that a sidecar takes in.

    With a ``normalization`` of None it follows from what the intentions decide on. Unless ``names_caller``
    the application does not learn who called.
    """

    tls: TlsParameters = USUAL
    normalization: Normalization | None = None
    names_caller: bool = True


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What holds for calls that a sidecar makes. With ``validate_clusters`` Envoy refuses routes to none."""

    tls: TlsParameters = USUAL
    validate_clusters: bool = False


UNSAID: Final = Incoming()
"""Without an entry."""


def build_incoming(mesh: Mesh | None) -> Incoming:
    """What the entry says of a callee; without one the defaults hold."""
    if mesh is None:
        return UNSAID
    http = mesh.http
    block = http.incoming.request_normalization if http and http.incoming else None
    return Incoming(
        tls=_tls(mesh.tls.incoming if mesh.tls else None),
        normalization=_normalization(block) if block else None,
        names_caller=not (http and http.sanitize_x_forwarded_client_cert),
    )


def build_outgoing(mesh: Mesh | None) -> Outgoing:
    """What the entry says of a caller; without one the defaults hold."""
    if mesh is None:
        return Outgoing()
    return Outgoing(_tls(mesh.tls.outgoing if mesh.tls else None), mesh.validate_clusters)


def _tls(parameters: MeshTLSParameters | None) -> TlsParameters:
    if parameters is None:
        return USUAL
    oldest, newest = parameters.versions
    return TlsParameters(
        oldest=_VERSIONS[oldest],
        newest=_VERSIONS[newest],
        cipher_suites=tuple(map(_boring_name, parameters.cipher_suites)),
        curves=tuple(parameters.ecdh_curves),
    )


def _boring_name(suite: str) -> str:
    """The name that BoringSSL has for a suite: of ``AES_128_CBC_SHA`` it leaves out the mode.

    https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/common.proto
    """
    exchange, cipher = suite.removeprefix("TLS_").split("_WITH_")
    prefix = "" if exchange == "RSA" else exchange.replace("_", "-") + "-"
    cipher = (
        cipher.replace("AES_", "AES")
        .replace("_CBC", "")
        .removesuffix("_SHA256" if "CHACHA" in cipher else "")
    )
    return prefix + cipher.replace("_", "-")


def _normalization(block: RequestNormalization) -> Normalization:
    return Normalization(
        paths=not block.insecure_disable_path_normalization,
        merge_slashes=block.merge_slashes,
        escaped_slashes=EscapedSlashes(block.path_with_escaped_slashes_action or EscapedSlashes.DEFAULT),
        underscores=Underscores(block.headers_with_underscores_action or Underscores.ALLOW),
    )

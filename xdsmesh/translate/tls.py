"""mTLS: the transport sockets that both ends of a hop use.

Certificates and roots are references to secrets, so renewing them changes no cluster and no listener.
"""

from typing import Any, Final

from envoy.config.core.v3 import base_pb2
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, secret_pb2, tls_pb2
from google.protobuf import wrappers_pb2
from google.protobuf.message import Message

from xdsmesh.ir import names
from xdsmesh.ir.comparison import Comparison
from xdsmesh.ir.jwt import Roots, ServerTls
from xdsmesh.ir.tls import USUAL, TlsParameters, TlsVersion
from xdsmesh.ir.types import Callers, DownstreamTls, UpstreamTls
from xdsmesh.translate.callers import regex_of
from xdsmesh.translate.parts import ADS, make_any, make_string_matcher

_VERSIONS: Final = {
    TlsVersion.TLS_1_0: common_pb2.TlsParameters.TLSv1_0,
    TlsVersion.TLS_1_1: common_pb2.TlsParameters.TLSv1_1,
    TlsVersion.TLS_1_2: common_pb2.TlsParameters.TLSv1_2,
    TlsVersion.TLS_1_3: common_pb2.TlsParameters.TLSv1_3,
}
_LEAF: Final = secret_pb2.SdsSecretConfig(name=names.LEAF, sds_config=ADS)
_ROOTS: Final = secret_pb2.SdsSecretConfig(name=names.ROOTS, sds_config=ADS)


def make_upstream_tls(tls: UpstreamTls) -> base_pb2.TransportSocket:
    """The caller's end: shows its own certificate, and accepts exactly the given SPIFFE ids."""
    common = tls_pb2.CommonTlsContext(
        tls_params=_parameters(tls.parameters),
        tls_certificate_sds_secret_configs=[_LEAF],
        combined_validation_context=_validation(
            *(_uri_matcher(Comparison.EXACT, spiffe_id) for spiffe_id in tls.spiffe_ids)
        ),
    )
    return _transport_socket(tls_pb2.UpstreamTlsContext(sni=tls.sni, common_tls_context=common))


def make_downstream_tls(tls: DownstreamTls) -> base_pb2.TransportSocket:
    """The callee's end: a caller must show a certificate of the mesh, and be one that may connect."""
    common = tls_pb2.CommonTlsContext(
        tls_params=_parameters(tls.parameters),
        tls_certificate_sds_secret_configs=[_LEAF],
        alpn_protocols=tls.alpn,
        **_accepted(tls.callers),
    )
    return _transport_socket(
        tls_pb2.DownstreamTlsContext(
            common_tls_context=common, require_client_certificate=wrappers_pb2.BoolValue(value=True)
        )
    )


def make_server_tls(tls: ServerTls) -> base_pb2.TransportSocket:
    """Our end of a connection to a server outside the mesh: it must show a certificate of its own name."""
    san_type = (
        common_pb2.SubjectAltNameMatcher.IP_ADDRESS if tls.is_ip else common_pb2.SubjectAltNameMatcher.DNS
    )
    matcher = common_pb2.SubjectAltNameMatcher(
        san_type=san_type, matcher=make_string_matcher(Comparison.EXACT, tls.host)
    )
    validation = common_pb2.CertificateValidationContext(
        match_typed_subject_alt_names=[matcher], trusted_ca=_roots(tls.roots)
    )
    common = tls_pb2.CommonTlsContext(tls_params=_parameters(USUAL), validation_context=validation)
    # RFC 6066 section 3: an address is no server name.
    return _transport_socket(
        tls_pb2.UpstreamTlsContext(sni="" if tls.is_ip else tls.host, common_tls_context=common)
    )


def _roots(roots: Roots) -> base_pb2.DataSource:
    if roots.filename:
        return base_pb2.DataSource(filename=roots.filename)
    if roots.environment_variable:
        return base_pb2.DataSource(environment_variable=roots.environment_variable)
    if roots.content:
        return base_pb2.DataSource(inline_bytes=roots.content)
    return base_pb2.DataSource(inline_string=roots.text)


def _parameters(parameters: TlsParameters) -> common_pb2.TlsParameters:
    return common_pb2.TlsParameters(
        tls_minimum_protocol_version=_VERSIONS[parameters.oldest],
        tls_maximum_protocol_version=_VERSIONS[parameters.newest],
        cipher_suites=parameters.cipher_suites,
        ecdh_curves=parameters.curves,
    )


def _accepted(callers: Callers | None) -> dict[str, Any]:
    if callers is None:
        return {"validation_context_sds_secret_config": _ROOTS}
    regex = regex_of(callers.services, callers.trust_domain)
    return {"combined_validation_context": _validation(_uri_matcher(Comparison.REGEX, regex))}


def _validation(
    *matchers: common_pb2.SubjectAltNameMatcher,
) -> tls_pb2.CommonTlsContext.CombinedCertificateValidationContext:
    """A certificate of the mesh with one of these names."""
    return tls_pb2.CommonTlsContext.CombinedCertificateValidationContext(
        default_validation_context=common_pb2.CertificateValidationContext(
            match_typed_subject_alt_names=matchers
        ),
        validation_context_sds_secret_config=_ROOTS,
    )


def _uri_matcher(comparison: Comparison, value: str) -> common_pb2.SubjectAltNameMatcher:
    return common_pb2.SubjectAltNameMatcher(
        san_type=common_pb2.SubjectAltNameMatcher.URI,
        matcher=make_string_matcher(comparison, value),
    )


def _transport_socket(context: Message) -> base_pb2.TransportSocket:
    return base_pb2.TransportSocket(name="tls", typed_config=make_any(context))

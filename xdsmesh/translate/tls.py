"""mTLS: the transport sockets that both ends of a hop use.

Certificates and roots are references to secrets, so renewing them changes no cluster and no listener.
"""

from typing import Final

from envoy.config.core.v3 import base_pb2
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, secret_pb2, tls_pb2
from google.protobuf import wrappers_pb2
from google.protobuf.message import Message

from xdsmesh.ir import names
from xdsmesh.ir.types import Comparison, DownstreamTls, UpstreamTls
from xdsmesh.translate.parts import ADS, make_any, make_string_matcher

_PARAMETERS: Final = common_pb2.TlsParameters(tls_minimum_protocol_version=common_pb2.TlsParameters.TLSv1_2)
_LEAF: Final = secret_pb2.SdsSecretConfig(name=names.LEAF, sds_config=ADS)
_ROOTS: Final = secret_pb2.SdsSecretConfig(name=names.ROOTS, sds_config=ADS)


def make_upstream_tls(tls: UpstreamTls) -> base_pb2.TransportSocket:
    """The caller's end: shows its own certificate, and accepts exactly the given SPIFFE ids."""
    accepted = common_pb2.CertificateValidationContext(
        match_typed_subject_alt_names=[_uri_matcher(spiffe_id) for spiffe_id in tls.spiffe_ids]
    )
    validation = tls_pb2.CommonTlsContext.CombinedCertificateValidationContext(
        default_validation_context=accepted, validation_context_sds_secret_config=_ROOTS
    )
    common = tls_pb2.CommonTlsContext(
        tls_params=_PARAMETERS,
        tls_certificate_sds_secret_configs=[_LEAF],
        combined_validation_context=validation,
    )
    return _transport_socket(tls_pb2.UpstreamTlsContext(sni=tls.sni, common_tls_context=common))


def make_downstream_tls(tls: DownstreamTls) -> base_pb2.TransportSocket:
    """The callee's end: any caller with a certificate of the mesh may speak; intentions decide the rest."""
    common = tls_pb2.CommonTlsContext(
        tls_params=_PARAMETERS,
        tls_certificate_sds_secret_configs=[_LEAF],
        validation_context_sds_secret_config=_ROOTS,
        alpn_protocols=tls.alpn,
    )
    return _transport_socket(
        tls_pb2.DownstreamTlsContext(
            common_tls_context=common, require_client_certificate=wrappers_pb2.BoolValue(value=True)
        )
    )


def _uri_matcher(spiffe_id: str) -> common_pb2.SubjectAltNameMatcher:
    return common_pb2.SubjectAltNameMatcher(
        san_type=common_pb2.SubjectAltNameMatcher.URI,
        matcher=make_string_matcher(Comparison.EXACT, spiffe_id),
    )


def _transport_socket(context: Message) -> base_pb2.TransportSocket:
    return base_pb2.TransportSocket(name="tls", typed_config=make_any(context))

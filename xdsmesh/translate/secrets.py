"""A proxy's certificate and the roots it believes, as secrets."""

from envoy.config.core.v3 import base_pb2
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, secret_pb2

from xdsmesh.ir import names
from xdsmesh.model.trust import Leaf, TrustBundle


def make_leaf(leaf: Leaf) -> secret_pb2.Secret:
    """The certificate that a proxy shows, with its key."""
    certificate = common_pb2.TlsCertificate(
        certificate_chain=base_pb2.DataSource(inline_string=leaf.chain_pem),
        private_key=base_pb2.DataSource(inline_string=leaf.key_pem),
    )
    return secret_pb2.Secret(name=names.LEAF, tls_certificate=certificate)


def make_roots(bundle: TrustBundle) -> secret_pb2.Secret:
    """The roots that vouch for the other proxies.

    Raises:
        ValueError: there is no root; Envoy would then accept a caller with any certificate.
    """
    if not bundle.roots_pem.strip():
        raise ValueError(f"the trust bundle of {bundle.trust_domain} has no root certificate")
    context = common_pb2.CertificateValidationContext(
        trusted_ca=base_pb2.DataSource(inline_string=bundle.roots_pem)
    )
    return secret_pb2.Secret(name=names.ROOTS, validation_context=context)

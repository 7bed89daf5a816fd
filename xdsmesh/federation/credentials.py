"""Mutual TLS between control planes: each shows its server's certificate, and believes the mesh's roots."""

from collections.abc import Callable
from typing import Any

import grpc

from xdsmesh.model.trust import Leaf, TrustBundle


def server_credentials(leaf: Callable[[], Leaf], bundle: Callable[[], TrustBundle]) -> Any:
    """Credentials for a port of gRPC on which clients must prove who they are.

    Both are asked, from gRPC's threads, as connections come.
    """
    latest = leaf(), bundle()

    def fetch() -> Any:
        nonlocal latest
        current = leaf(), bundle()
        if current == latest:
            return None
        latest = current
        return _configuration(*current)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(*latest), fetch, require_client_authentication=True
    )


def client_credentials(leaf: Leaf, bundle: TrustBundle) -> Any:
    """Credentials for one channel."""
    return grpc.ssl_channel_credentials(
        bundle.roots_pem.encode(), leaf.key_pem.encode(), leaf.chain_pem.encode()
    )


def _configuration(leaf: Leaf, bundle: TrustBundle) -> Any:
    pair = (leaf.key_pem.encode(), leaf.chain_pem.encode())
    return grpc.ssl_server_certificate_configuration([pair], bundle.roots_pem.encode())

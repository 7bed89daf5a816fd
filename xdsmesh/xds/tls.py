"""TLS for xDS: each new connection gets the certificate that counts then; those that are open go on."""

from collections.abc import Callable
from typing import Any

import grpc

from xdsmesh.model.trust import Leaf


def server_credentials(current: Callable[[], Leaf]) -> Any:
    """Credentials for a port of gRPC; ``current`` is asked, from gRPC's threads, as connections come.

    Certificates of clients are not asked for: gRPC for Python verifies them from all clients or from none.
    """
    latest = current()

    def fetch() -> Any:
        nonlocal latest
        leaf = current()
        if leaf is latest:
            return None
        latest = leaf
        return _configuration(leaf)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(latest), fetch, require_client_authentication=False
    )


def _configuration(leaf: Leaf) -> Any:
    pair = (leaf.key_pem.encode(), leaf.chain_pem.encode())
    return grpc.ssl_server_certificate_configuration([pair])

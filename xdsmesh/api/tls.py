"""TLS for the HTTP API: one context, whose certificate is replaced while connections that are open go on."""

import os
import ssl

from xdsmesh.model.trust import Leaf


def make_context(leaf: Leaf) -> ssl.SSLContext:
    """What uvicorn serves TLS with. Certificates of clients are not asked for: they show tokens."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    load_leaf(context, leaf)
    return context


def load_leaf(context: ssl.SSLContext, leaf: Leaf) -> None:
    """Let a context show another certificate from the next connection on."""
    # Python reads keys from files only; this one is in memory, and nobody else's.
    descriptor = os.memfd_create("server-certificate", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write((leaf.key_pem + leaf.chain_pem).encode())
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)

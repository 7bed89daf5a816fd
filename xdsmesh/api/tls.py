"""TLS for the HTTP API: one context, whose certificate is replaced while connections that are open go on."""

import ssl

from xdsmesh.ca.tls import load_leaf
from xdsmesh.model.trust import Leaf


def make_context(leaf: Leaf) -> ssl.SSLContext:
    """What uvicorn serves TLS with. Certificates of clients are not asked for: they show tokens."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    load_leaf(context, leaf)
    return context

"""TLS for probes, by the certificates that this machine trusts."""

import ssl
from functools import cache


@cache  # to read all the certificates takes longer than a probe
def tls_context(*, skip_verify: bool, http2: bool = False) -> ssl.SSLContext:
    """What a probe accepts of a server; with ``http2`` that is to be the server's protocol."""
    context = ssl.create_default_context()
    if skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if http2:
        context.set_alpn_protocols(["h2"])
    return context

"""Expressions about a connection or request, in CEL.

Attributes: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes
"""

import string
from typing import Final

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.extensions.access_loggers.filters.cel.v3 import cel_pb2

from xdsmesh.translate.parts import make_any

CALLER: Final = "connection.uri_san_peer_certificate"
"""The SPIFFE id that a caller's certificate has, be it verified or not."""

HANDSHAKE_FAILED: Final = "has(connection.transport_failure_reason)"
"""There was no TLS connection."""

_SAN_DIFFERS: Final = "connection.transport_failure_reason.contains('verify cert failed: SAN matcher')"

NOT_WELCOME: Final = f"({HANDSHAKE_FAILED} && {_SAN_DIFFERS})"
"""The certificate was verified, and is of a caller that may not connect: names are compared last."""

CONNECTED: Final = f"(connection.mtls && !{HANDSHAKE_FAILED})"
"""The certificate was verified, and is of a caller that may connect."""

VERIFIED: Final = f"(connection.mtls && (!{HANDSHAKE_FAILED} || {_SAN_DIFFERS}))"
"""The caller has proven to be who its certificate says."""

_SERVICE: Final = "^spiffe://[^/]+/ns/default/dc/[^/]+/svc/([^/]+)$"
_PLAIN: Final = frozenset(string.ascii_letters + string.digits + " =>:;,._-/[]()|^$+?*{}#")
_BASIC_PLANE: Final = 0xFFFF


def quoted(text: str) -> str:
    """A literal; a percent sign is escaped too, since it would end the command that the literal is in."""
    return f"'{''.join(map(_letter, text))}'"


def _letter(letter: str) -> str:
    if letter in _PLAIN:
        return letter
    code = ord(letter)
    return f"\\u{code:04x}" if code <= _BASIC_PLANE else f"\\U{code:08x}"


def service_of_caller(before: str = "", after: str = "") -> str:
    """The name of the service in a caller's SPIFFE id, between two texts: Envoy's CEL can't join any."""
    rewrite = "".join((before.replace("\\", r"\\"), r"\1", after.replace("\\", r"\\")))
    return f"re.extract({CALLER}, {quoted(_SERVICE)}, {quoted(rewrite)})"


SERVICE_OF_CALLER: Final = service_of_caller()
"""The name of the service in a caller's SPIFFE id."""


def formatted(expression: str) -> str:
    """The value of an expression in a format of access logs."""
    return f"%CEL({expression})%"


def make_filter(expression: str) -> accesslog_pb2.AccessLogFilter:
    """Log only where an expression is true."""
    return accesslog_pb2.AccessLogFilter(
        extension_filter=accesslog_pb2.ExtensionFilter(
            name="envoy.access_loggers.extension_filters.cel",
            typed_config=make_any(cel_pb2.ExpressionFilter(expression=expression)),
        )
    )

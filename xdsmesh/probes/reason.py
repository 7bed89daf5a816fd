"""Why a probe failed, in a few words for a person."""

import os
import socket
import ssl

from h2.exceptions import ProtocolError


def reason(error: BaseException) -> str:
    """What the system or the server said; libraries wrap it several times."""
    while cause := _inner(error):
        error = cause
    match error:
        case ssl.SSLCertVerificationError():
            return f"the certificate is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {(error.reason or str(error)).replace('_', ' ').lower()}"
        case ProtocolError():
            return f"the server does not speak HTTP/2: {error}"
        case socket.gaierror():
            return f"the host is not found: {error.strerror}"
        case OSError(errno=int(number)):
            return os.strerror(number)
    return str(error) or type(error).__name__


def _inner(error: BaseException) -> BaseException | None:
    if isinstance(error, BaseExceptionGroup):
        first: BaseException = error.exceptions[0]
        return first
    return error.__cause__

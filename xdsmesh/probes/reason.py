"""Why a probe failed, in a few words for a person."""

import os
import socket
import ssl

from h2.exceptions import ProtocolError


def reason(error: BaseException) -> str:
    """What the system said, which libraries wrap several times, or else the library."""
    return _words(cause(error))


def cause(error: BaseException) -> BaseException:
    """The system's error behind one of a library, or else that one."""
    found = error
    inner: BaseException | None = error
    while inner:
        found = inner if isinstance(inner, OSError) else found
        inner = _inner(inner)
    return found


def _inner(error: BaseException) -> BaseException | None:
    if isinstance(error, BaseExceptionGroup):
        first: BaseException = error.exceptions[0]
        return first
    return error.__cause__ or error.__context__


def _words(error: BaseException) -> str:
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

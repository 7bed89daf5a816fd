import grpc
import pytest

from xdsmesh.federation.errors import DeclinedError, LinkError, UnreachableError, link_error

CODE = grpc.StatusCode


@pytest.mark.parametrize(
    ("code", "details", "error"),
    [
        (
            CODE.UNAVAILABLE,
            "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:9: Connection refused",
            UnreachableError("dc2", "Connection refused"),
        ),
        (
            CODE.UNAVAILABLE,
            "failed to connect to all addresses; last error: UNAVAILABLE: ipv6:%5B::1%5D:9: Socket closed",
            UnreachableError("dc2", "Socket closed"),
        ),
        (CODE.DEADLINE_EXCEEDED, "Deadline Exceeded", UnreachableError("dc2", "Deadline Exceeded")),
        (CODE.UNAVAILABLE, "", UnreachableError("dc2", "unavailable")),
        (CODE.PERMISSION_DENIED, "dc2 does not know dc1", DeclinedError("dc2", "dc2 does not know dc1")),
        (CODE.FAILED_PRECONDITION, "XM1: no, and why: so", DeclinedError("dc2", "XM1: no, and why: so")),
    ],
)
def test_what_grpc_says_is_told_without_what_is_known_anyway(
    code: grpc.StatusCode, details: str, error: LinkError
) -> None:
    found = link_error("dc2", grpc.aio.AioRpcError(code, None, None, details))
    assert (type(found), str(found)) == (type(error), str(error))

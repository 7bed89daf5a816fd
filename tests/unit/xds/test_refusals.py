"""Who gets the configuration of which proxy."""

import pytest

from xdsmesh.model.identity import OPERATOR, Identity, IdentityKind, service_identity
from xdsmesh.xds.messages import Code
from xdsmesh.xds.refusals import forbidden, not_served

WEB = service_identity("web")
GATEWAY = Identity(IdentityKind.MESH_GATEWAY, "web")


@pytest.mark.parametrize(
    ("proven", "registered", "code"),
    [
        (None, WEB, None),
        (WEB, WEB, None),
        (GATEWAY, GATEWAY, None),
        (None, None, Code.NOT_FOUND),
        (WEB, None, Code.NOT_FOUND),
        (WEB, service_identity("Web"), Code.PERMISSION_DENIED),
        (WEB, GATEWAY, Code.PERMISSION_DENIED),
        (GATEWAY, WEB, Code.PERMISSION_DENIED),
        (OPERATOR, WEB, Code.PERMISSION_DENIED),
        (OPERATOR, None, Code.PERMISSION_DENIED),
    ],
)
def test_only_the_identity_that_a_proxy_is_registered_for_is_served(
    proven: Identity | None, registered: Identity | None, code: Code | None
) -> None:
    close = forbidden("web-1", proven, registered)
    assert (close.code if close else None) == code


def test_a_refusal_says_who_the_token_is_for() -> None:
    close = forbidden("a\nb", WEB, GATEWAY)
    assert close
    assert "the token is for the service web, and proxy 'a b' is registered for the mesh gateway web" in (
        close.reason
    )


def test_gateways_of_a_kind_that_is_not_served_yet_are_told_so() -> None:
    close = not_served("t-1", Identity(IdentityKind.TERMINATING_GATEWAY, "edge"))
    assert close.code is Code.UNIMPLEMENTED
    assert "'t-1' is registered for the terminating gateway edge, and such are not served yet" in close.reason
    assert not_served("web-1", WEB).code is not_served("web-1", None).code is Code.NOT_FOUND

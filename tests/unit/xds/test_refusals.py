"""Who gets the configuration of which proxy."""

import pytest

from xdsmesh.model.identity import OPERATOR, Identity, IdentityKind, service_identity
from xdsmesh.xds.messages import Code
from xdsmesh.xds.refusals import forbidden

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

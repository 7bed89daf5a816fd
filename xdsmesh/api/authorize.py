"""``/v1/agent/connect/authorize``: whether whoever shows a certificate may connect to a service.

Source: https://developer.hashicorp.com/consul/api-docs/agent/connect#authorize
"""

import re
from typing import Any, Final

from litestar import route
from litestar.di import NamedDependency
from litestar.enums import HttpMethod
from litestar.exceptions import ClientException
from litestar.params import RawBody
from litestar.status_codes import HTTP_200_OK
from msgspec import field

from xdsmesh.api.about import About
from xdsmesh.api.access import READS
from xdsmesh.api.intention_query import service_of
from xdsmesh.api.intentions import intentions_about
from xdsmesh.api.openapi.declare import doc
from xdsmesh.api.queries import Queries
from xdsmesh.api.reply import Reply
from xdsmesh.config.entry import Definition
from xdsmesh.config.files import decode_definition
from xdsmesh.config.intentions import Caller, allows, deciding
from xdsmesh.settings import IntentionPolicy

_SERVICE_URI: Final = re.compile(r"spiffe://[^/]+(/ap/default)?/ns/default/dc/[^/]+/svc/(?P<name>[^/]+)")


class AuthorizeBody(Definition, frozen=True):
    """Who wants to connect, by its certificate, and to which service. Any serial number will do."""

    target: str = ""
    client_cert_uri: str = field(default="", name="ClientCertURI")
    client_cert_serial: str = ""


@route(
    "/v1/agent/connect/authorize",
    http_method=[HttpMethod.POST, HttpMethod.PUT],  # py-consul sends PUT
    status_code=HTTP_200_OK,
    opt={**doc(body=AuthorizeBody, reply=dict[str, Any]), **READS},
)
async def authorize(
    body: RawBody, queries: NamedDependency[Queries], about: NamedDependency[About]
) -> Reply[dict[str, Any]]:
    """Whether the intentions let the service of a certificate connect to the target, and which one decides.

    The trust domain is not compared: that is for whoever has seen the certificate, and the root.
    """
    wanted = decode_definition(body, AuthorizeBody)
    if not wanted.target:
        raise ClientException("Target service must be specified (add Target)")
    target, caller = service_of(wanted.target), _caller(wanted.client_cert_uri)
    await queries.feed.catch_up()
    decision = deciding(intentions_about(queries.view, target), caller, target)
    policy = about.default_intention_policy
    reason = f"Matched intention: {decision}" if decision else f"Default intention policy: {policy}"
    allowed = allows(decision, by_default=policy is IntentionPolicy.ALLOW)
    return Reply({"Authorized": allowed, "Reason": reason})


def _caller(uri: str) -> Caller:
    found = _SERVICE_URI.fullmatch(uri)
    if not found:
        raise ClientException(
            f"ClientCertURI not a valid Service identifier: {uri!r}"
            " (it looks like spiffe://<trust domain>/ns/default/dc/<datacenter>/svc/<service>)"
        )
    return Caller(found["name"])

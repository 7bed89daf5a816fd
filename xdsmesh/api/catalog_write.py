"""``/v1/catalog/register`` and ``.../deregister``: nodes and services that somebody else watches over."""

from litestar import put
from litestar.di import NamedDependency
from litestar.params import RawBody
from litestar.status_codes import HTTP_409_CONFLICT

from xdsmesh.api.openapi.declare import doc
from xdsmesh.api.reply import Reply
from xdsmesh.api.request import AnyRequest, author
from xdsmesh.catalog.external import deregister_external, register_external
from xdsmesh.catalog.registrations import Registrations
from xdsmesh.config.files import decode_definition
from xdsmesh.config.registration import CatalogDeregistration, CatalogRegistration


@put("/v1/catalog/register", opt=doc(body=CatalogRegistration, reply=bool, errors=(HTTP_409_CONFLICT,)))
async def register(
    request: AnyRequest, body: RawBody, registrations: NamedDependency[Registrations]
) -> Reply[bool]:
    """Register a node and, together with it, a service and checks. Nothing probes these checks."""
    registration = decode_definition(body, CatalogRegistration)
    await register_external(registrations, registration, author(request))
    return Reply(content=True)


@put("/v1/catalog/deregister", opt=doc(body=CatalogDeregistration, reply=bool, errors=(HTTP_409_CONFLICT,)))
async def deregister(
    request: AnyRequest, body: RawBody, registrations: NamedDependency[Registrations]
) -> Reply[bool]:
    """Remove a node, or a service or a check of it, if it is there."""
    deregistration = decode_definition(body, CatalogDeregistration)
    await deregister_external(registrations, deregistration, author(request))
    return Reply(content=True)

"""``/v1/catalog/register`` and ``.../deregister``: nodes and services that somebody else watches over."""

from litestar import put
from litestar.di import NamedDependency
from litestar.params import RawBody

from xdsmesh.api.reply import Reply
from xdsmesh.api.request import AnyRequest, author
from xdsmesh.catalog.external import deregister_external, register_external
from xdsmesh.catalog.registrations import Registrations
from xdsmesh.config.files import decode_definition
from xdsmesh.config.registration import CatalogDeregistration, CatalogRegistration


@put("/v1/catalog/register")
async def register(
    request: AnyRequest, body: RawBody, registrations: NamedDependency[Registrations]
) -> Reply[bool]:
    """Register a node and, together with it, a service and checks. Nothing probes these checks."""
    registration = decode_definition(body, CatalogRegistration)
    await register_external(registrations, registration, author(request))
    return Reply(content=True)


@put("/v1/catalog/deregister")
async def deregister(
    request: AnyRequest, body: RawBody, registrations: NamedDependency[Registrations]
) -> Reply[bool]:
    """Remove a node, or a service or a check of it, if it is there."""
    deregistration = decode_definition(body, CatalogDeregistration)
    await deregister_external(registrations, deregistration, author(request))
    return Reply(content=True)

"""Which protocol is spoken at a destination, and who says so. Pure."""

from xdsmesh.catalog.view import CatalogView
from xdsmesh.chain.protocol import ServiceProtocol, protocol_of
from xdsmesh.chain.types import ReadEntry
from xdsmesh.ir.types import Protocol


def destination_protocol(view: CatalogView, service: str, read: ReadEntry) -> ServiceProtocol:
    """The protocol at the sidecars of a service: a registration's own, else what config entries give it.

    Where they speak several, it is the one of which the least can be promised: one that is not HTTP.
    """
    central = protocol_of(service, read)
    said = [central]
    proxies = [(each.value.id, each.value.proxy) for each in view.instances_before(service)]
    own = [
        ServiceProtocol(service, proxy.protocol, f'the registration of "{proxy_id}" says so')
        for proxy_id, proxy in proxies
        if proxy and proxy.protocol
    ]
    if own:
        said = own if len(own) == len(proxies) else [central, *own]
    return next((each for each in said if not Protocol.of(each.protocol).is_http), said[0])

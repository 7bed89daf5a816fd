"""``/v1/catalog/gateway-services``: the services behind a gateway."""

from typing import Final

from litestar import get
from litestar.di import NamedDependency

from xdsmesh.api.changes import ALL_INSTANCES, entry_topic
from xdsmesh.api.narrow import name_in_path
from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.openapi.parameters import BY_INDEX
from xdsmesh.api.queries import Queries, Seen
from xdsmesh.api.reply import Sent
from xdsmesh.api.request import AnyRequest
from xdsmesh.api.shapes import GatewayService, Named
from xdsmesh.catalog.gateways import KINDS, GatewayLink, gateway_links

GATEWAY: Final = Parameter("name", "The name of a gateway.", where="path")


@get(
    ["/v1/catalog/gateway-services", "/v1/catalog/gateway-services/{name:path}"],
    opt=doc(GATEWAY, *BY_INDEX, reply=list[GatewayService] | None),
)
async def gateway_services(request: AnyRequest, queries: NamedDependency[Queries]) -> Sent:
    """The services behind an ingress or terminating gateway; null if there are none."""
    gateway = name_in_path(request, "gateway")

    def read() -> Seen:
        topics = frozenset({ALL_INSTANCES, *(entry_topic(kind, gateway) for kind in KINDS)})
        return Seen([_shown(link) for link in gateway_links(queries.view, gateway)] or None, topics)

    return await queries.answer(request, read)


def _shown(link: GatewayLink) -> GatewayService:
    linked = link.linked
    return GatewayService(
        gateway=Named(name=link.gateway),
        service=Named(name=link.service),
        gateway_kind=link.kind,
        create_index=link.created,
        modify_index=link.modified,
        port=link.port,
        protocol=link.protocol,
        hosts=list(link.hosts),
        ca_file=linked.ca_file if linked else "",
        cert_file=linked.cert_file if linked else "",
        key_file=linked.key_file if linked else "",
        sni=linked.sni if linked else "",
        auto_host_rewrite=linked is not None and not linked.disable_auto_host_rewrite,
        from_wildcard=link.from_wildcard,
    )

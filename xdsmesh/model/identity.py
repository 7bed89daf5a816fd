"""Who somebody is, by whatever proves it: a service, a gateway, or an operator of the mesh."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from xdsmesh.model.catalog import Instance, Kind


class IdentityKind(StrEnum):
    """What somebody is; gateways in the words of their registration."""

    SERVICE = "service"
    MESH_GATEWAY = "mesh-gateway"
    INGRESS_GATEWAY = "ingress-gateway"
    TERMINATING_GATEWAY = "terminating-gateway"
    API_GATEWAY = "api-gateway"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody. ``name`` is that of the service or gateway; an operator has none."""

    kind: IdentityKind
    name: str = ""

    @property
    def is_operator(self) -> bool:
        """It may do everything."""
        return self.kind is IdentityKind.OPERATOR

    def __str__(self) -> str:
        what = self.kind.value.replace("-", " ")
        return f"the {what} {self.name}" if self.name else f"an {what}"


OPERATOR: Final = Identity(IdentityKind.OPERATOR)


def service_identity(name: str) -> Identity:
    """A service's, which its instances share."""
    return Identity(IdentityKind.SERVICE, name)


def identity_of(proxy: Instance) -> Identity | None:
    """Who a proxy is; None: it is no proxy that could be anybody."""
    if proxy.kind.is_gateway:
        return Identity(IdentityKind(proxy.kind.value), proxy.service)
    if proxy.kind is Kind.CONNECT_PROXY and proxy.proxy:
        return service_identity(proxy.proxy.destination_service_name)
    return None

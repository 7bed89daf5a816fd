"""The secrets that proxies must hold as the authority stands now."""

from collections.abc import Callable

from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.keeper import LeafKeeper
from xdsmesh.ir.names import LEAF
from xdsmesh.model.resource import EncodedResource
from xdsmesh.translate.encode import encode


def wanted_secret(name: str, issuer: Issuer, keeper: LeafKeeper) -> Callable[[str], EncodedResource | None]:
    """What a proxy must hold, by its id: the roots of this moment, or its leaf once it has one."""
    if name == LEAF:
        return lambda proxy_id: encode(leaf) if (leaf := keeper.leaf(proxy_id)) else None
    roots = encode(issuer.bundle)
    return lambda _: roots

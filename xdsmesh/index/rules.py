"""Rules that proxies of every kind share."""

from xdsmesh.index.graph import Reader, rule
from xdsmesh.ir.access_logs import AccessLogs, build_access_logs
from xdsmesh.model.resource import EncodedResource
from xdsmesh.translate.encode import Encodable, encode


@rule(rank=0)
def encoded(_: Reader, value: Encodable) -> EncodedResource:
    """The bytes of an ir value: made once, kept while any view holds them."""
    return encode(value)


@rule(rank=0)
def access_logs(read: Reader) -> AccessLogs | None:
    """What all proxies log."""
    return build_access_logs(read.fact("entry", "proxy-defaults", "global"))

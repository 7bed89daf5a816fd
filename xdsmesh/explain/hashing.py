"""Which parts of a request choose its instance, where a load balancer hashes."""

from collections.abc import Iterable, Iterator

from xdsmesh.explain.requests import query_value, values
from xdsmesh.explain.types import Headers, Request
from xdsmesh.ir.types import HashField, HashPolicy


def hashed_by(policies: Iterable[HashPolicy], request: Request, headers: Headers) -> tuple[HashPolicy, ...]:
    """The policies that find something to hash; after one that is terminal no other counts.

    https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-routeaction-hashpolicy
    """
    return tuple(_hashed_by(policies, request, headers))


def _hashed_by(policies: Iterable[HashPolicy], request: Request, headers: Headers) -> Iterator[HashPolicy]:
    for policy in policies:
        if _finds(policy, request, headers):
            yield policy
            if policy.terminal:
                return


def _finds(policy: HashPolicy, request: Request, headers: Headers) -> bool:
    match policy.field:
        case HashField.SOURCE_IP:
            return True
        case HashField.HEADER:
            return bool(values(request, headers, policy.name))
        case HashField.QUERY_PARAMETER:
            return query_value(request.path, policy.name) is not None
        case HashField.COOKIE:
            return policy.ttl is not None or policy.name in _cookies(values(request, headers, "cookie"))


def _cookies(fields: Iterable[str]) -> set[str]:
    return {pair.partition("=")[0].strip() for field in fields for pair in field.split(";")}

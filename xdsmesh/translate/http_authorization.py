"""Where authorization stands in HTTP: filters that let nothing by, and with the routes what they may."""

from typing import Final

from envoy.extensions.filters.http.rbac.v3 import rbac_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from google.protobuf import any_pb2

from xdsmesh.ir.authorization import Authorization
from xdsmesh.translate.parts import make_any
from xdsmesh.translate.rbac import make_http_decisions, make_http_rbac, make_nothing

RBAC_FILTER: Final = "envoy.filters.http.rbac"
DECISION_FILTER: Final = "xdsmesh.decision"

FILTERS: Final = tuple(
    http_connection_manager_pb2.HttpFilter(name=name, typed_config=make_any(config))
    for name, config in (
        (DECISION_FILTER, rbac_pb2.RBAC()),
        (RBAC_FILTER, rbac_pb2.RBAC(rules=make_nothing())),
    )
)
"""The filters as they are without routes: what decides is noted nowhere, and nothing is allowed."""


def make_per_route(authorization: Authorization | None) -> dict[str, any_pb2.Any]:
    """What the filters do with requests to these routes, by the name of the filter."""
    if authorization is None:
        return {}
    configs = {
        DECISION_FILTER: make_http_decisions(authorization),
        RBAC_FILTER: make_http_rbac(authorization),
    }
    return {name: make_any(rbac_pb2.RBACPerRoute(rbac=config)) for name, config in configs.items()}

"""The order of things on a stream: what is sent before what, and what waits for what.

Make before break: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#eventual-consistency-considerations
"""

from typing import Final

from xdsmesh.model.resource import CLUSTER, ENDPOINT, LISTENER, ROUTE, SECRET, TYPE_PREFIX, TYPES

EXTENSION: Final = TYPE_PREFIX + "envoy.config.core.v3.TypedExtensionConfig"

WILDCARD: Final = "*"
"""The name that stands for all resources of a type."""

RANK: Final = {type_url: rank for rank, type_url in enumerate(TYPES)}
"""The place of a type's additions; types that are not served come last."""

ROOTS: Final = frozenset({CLUSTER, LISTENER})
"""Types of which an empty first request means all, and of which a SotW response is the complete set."""

GATED: Final = frozenset({LISTENER, ROUTE})
"""Types whose additions wait until new clusters and their endpoints are acknowledged."""

REMOVED_AFTER: Final = {CLUSTER: (LISTENER, ROUTE), ROUTE: (LISTENER,), ENDPOINT: (CLUSTER,)}
"""A type's removals wait until the client holds these types' last state, and nothing of it is in doubt."""

NEVER_REMOVED: Final = frozenset({SECRET, EXTENSION})
"""Types whose removal breaks the listener that uses them at once; they go when their user goes.

See https://github.com/envoyproxy/envoy/issues/32832 and https://github.com/envoyproxy/envoy/issues/32823.
"""

GATE_SECONDS: Final = 5.0
"""How long listeners and routes wait for clusters, at most."""

ACK_SECONDS: Final = 30.0
"""A response that is not answered for so long holds up later ones no more; its content is in doubt.

Envoy withholds an ACK for 15 s when a cluster can't warm.
"""

RECONNECT_SECONDS: Final = 0.25
"""On a new stream the removal of clusters waits so long to learn of the listeners and routes in use."""

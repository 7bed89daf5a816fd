"""The parameters that several routes have; those of one route are declared beside it."""

from typing import Any, Final

from xdsmesh.api.openapi.declare import Parameter
from xdsmesh.config.kinds import ENTERPRISE_KINDS, INTERNAL_KINDS, KINDS

DURATION: Final[dict[str, Any]] = {
    "type": "string",
    "pattern": r"^[+-]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$",
    "examples": ["10s", "1m30s", "250ms"],
}
"""A span of time as Go writes it."""

_FLAG: Final = {"type": "boolean"}
_PRESENCE: Final = {"type": "string", "enum": [""]}
_UNSIGNED: Final = {"type": "integer", "minimum": 0, "maximum": 2**64 - 1}
_TEXTS: Final = {"type": "array", "items": {"type": "string"}}
_TENANT: Final = {"type": "string", "enum": ["default"]}

INDEX: Final = Parameter(
    "index", "The `X-Consul-Index` of the answer that the caller has: wait for another one.", _UNSIGNED
)
HASH: Final = Parameter(
    "hash", "The `X-Consul-ContentHash` of the answer that the caller has: wait for another one."
)
WAIT: Final = Parameter("wait", "How long to wait at most: 5 minutes unless given, 10 at most.", DURATION)
BY_INDEX: Final = (INDEX, WAIT)
"""Of a read that waits for a change."""
BY_HASH: Final = (HASH, WAIT)
"""Of a read that waits until what is read has another hash."""

FILTER: Final = Parameter("filter", "Which rows are wanted, as an expression over their fields.")
TAG: Final = Parameter("tag", "A tag that the instances must have; several must all be there.", _TEXTS)
NODE_META: Final = Parameter("node-meta", "`key:value` that the node's `Meta` must have; or several.", _TEXTS)
PASSING: Final = Parameter("passing", "Only instances whose checks all pass.", _FLAG)
CAS: Final = Parameter(
    "cas", "Write only if this is the `ModifyIndex` of what is there; 0: if nothing is there.", _UNSIGNED
)

KIND: Final = Parameter(
    "kind",
    "The kind of a config entry.",
    {"type": "string", "enum": sorted({*KINDS, *INTERNAL_KINDS} | (ENTERPRISE_KINDS & {"sameness-group"}))},
    where="path",
)
ENTRY_NAME: Final = Parameter("name", "The name of a config entry.", where="path")
SERVICE_NAME: Final = Parameter("name", "The name of a service, in any case.", where="path")
NODE: Final = Parameter("name", "The name of a node, in any case.", where="path")
NEAR: Final = Parameter("near", "A node whose rows come first.")
MERGE: Final = Parameter(
    "merge-central-config",
    "Show proxies with what config entries say, where registrations do not; whatever the value.",
    _PRESENCE,
)
SERVICE_ID: Final = Parameter("id", "The id of a service instance.", where="path")


COMMON: Final = (
    Parameter("pretty", "Indent the answer, whatever the value.", _PRESENCE),
    Parameter("dc", "The datacenter that is to answer; unless given, this server's own."),
    Parameter("ns", "The namespace, of which there is only one.", _TENANT),
    Parameter("partition", "The partition, of which there is only one.", _TENANT),
    Parameter("stale", "Accepted, and changes nothing; not together with `consistent`.", _PRESENCE),
    Parameter("consistent", "Accepted, and changes nothing.", _PRESENCE),
    Parameter("cached", "Accepted, and changes nothing; not together with `consistent`.", _PRESENCE),
)
"""The parameters of every route."""

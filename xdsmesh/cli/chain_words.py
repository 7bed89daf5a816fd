"""What routes, legs and targets of a discovery chain say, in a few words each.

They are read as the API answers them: under PascalCase keys, what is empty left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

Json = Mapping[str, Any]

_PATHS: Final = {"PathExact": "path", "PathPrefix": "paths that begin with", "PathRegex": "paths that match"}
_CONDITIONS: Final = {"Exact": "is", "Prefix": "begins with", "Suffix": "ends with", "Regex": "matches"}
_CHANGES: Final = {"Add": "add", "Set": "set", "Remove": "remove"}


def match_words(definition: Json) -> str:
    """Which requests a route takes."""
    http = (definition.get("Match") or {}).get("HTTP") or {}
    if http == {"PathPrefix": "/"}:
        return "every request"
    return ", ".join(_conditions(http)) or "every request"


def destination_words(definition: Json) -> list[str]:
    """What a route does to its requests, besides sending them on."""
    destination = definition.get("Destination") or {}
    timeouts = {"answer within": "RequestTimeout", "idle for at most": "IdleTimeout"}
    rewrite = destination.get("PrefixRewrite")
    return [
        *([f"rewritten to {rewrite}"] if rewrite else ()),
        *_given(timeouts, destination),
        *_retry_words(destination),
        *header_words(destination),
    ]


def header_words(definition: Json) -> list[str]:
    """How the headers of requests and responses are changed."""
    return [
        f"{verb} {what} header {_listed(headers)}"
        for what in ("request", "response")
        for change, verb in _CHANGES.items()
        if (headers := (definition.get(f"{what.capitalize()}Headers") or {}).get(change))
    ]


def target_words(target: Json) -> list[str]:
    """Where a target's instances are, and which of them count."""
    subset = target.get("Subset") or {}
    mode = (target.get("MeshGateway") or {}).get("Mode")
    return [
        f"in peer {target['Peer']}" if target.get("Peer") else f"in {target['Datacenter']}",
        *([f"only {subset['Filter']}"] if subset.get("Filter") else ()),
        *(["only if passing"] if subset.get("OnlyPassing") else ()),
        *([f"mesh gateway {mode}"] if mode else ()),
        *([f"outside the mesh, SNI {target.get('SNI', '')}"] if target.get("External") else ()),
    ]


def resolver_words(node: Json) -> list[str]:
    """How a target is called."""
    timeouts = {"connect within": "ConnectTimeout", "answer within": "RequestTimeout"}
    return [*_given(timeouts, node["Resolver"]), *load_balancer_words(node)]


def load_balancer_words(node: Json) -> list[str]:
    """How the instances share the requests, and what of a request decides where it goes."""
    balancer = node.get("LoadBalancer") or {}
    by = ", ".join(_hash_words(policy) for policy in balancer.get("HashPolicies") or ())
    policy = balancer.get("Policy") or ""
    return [f"{policy} by {by}" if by else policy] if policy else []


def _conditions(http: Json) -> Iterator[str]:
    for key, words in _PATHS.items():
        if http.get(key):
            yield f"{words} {http[key]}" + (" in any case" if http.get("CaseInsensitive") else "")
    for header in http.get("Header") or ():
        yield f"{'not ' if header.get('Invert') else ''}header {_condition(header)}"
    for parameter in http.get("QueryParam") or ():
        yield f"query {_condition(parameter)}"
    if http.get("Methods"):
        yield " or ".join(http["Methods"])


def _condition(condition: Json) -> str:
    words = next(
        (f"{words} {condition[key]}" for key, words in _CONDITIONS.items() if condition.get(key)), ""
    )
    return f"{condition.get('Name', '')} {words or 'is there'}"


def _retry_words(destination: Json) -> Iterator[str]:
    conditions = [
        *(["connect-failure"] if destination.get("RetryOnConnectFailure") else ()),
        *(destination.get("RetryOn") or ()),
        *(str(status) for status in destination.get("RetryOnStatusCodes") or ()),
    ]
    retries = destination.get("NumRetries")
    if retries or conditions:
        times = f"{retries} times" if retries else "once"
        yield f"retried {times} on {', '.join(conditions)}" if conditions else f"retried {times}"


def _hash_words(policy: Json) -> str:
    if policy.get("SourceIP"):
        return "source IP"
    return f"{policy.get('Field', '').replace('_', ' ')} {policy.get('FieldValue', '')}"


def _given(words: Mapping[str, str], values: Json) -> list[str]:
    return [f"{said} {values[key]}" for said, key in words.items() if values.get(key)]


def _listed(headers: Mapping[str, str] | Iterable[str]) -> str:
    if isinstance(headers, Mapping):
        return ", ".join(f"{name}: {value}" for name, value in headers.items())
    return ", ".join(headers)

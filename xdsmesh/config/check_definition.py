"""How somebody else makes a check, as a catalog registration says it and replies show it.

Shape: https://developer.hashicorp.com/consul/api-docs/catalog#register-entity. Keys that are not known mean
nothing and are kept: it is for whoever makes the check.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from xdsmesh.config import paths, rules
from xdsmesh.config.wording import quoted
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem

_DURATIONS: Final = ("Interval", "Timeout", "DeregisterCriticalServiceAfter")
_LONG_FORM: Final = "Duration"
"""What clients of Node.js, and older ones, add to the keys of durations."""

_KEYS: Final = (
    *_DURATIONS,
    "AliasNode",
    "AliasService",
    "Body",
    "DisableRedirects",
    "DockerContainerID",
    "GRPC",
    "GRPCUseTLS",
    "H2PING",
    "H2PingUseTLS",
    "HTTP",
    "Header",
    "Method",
    "OSService",
    "OutputMaxSize",
    "ScriptArgs",
    "Shell",
    "TCP",
    "TCPUseTLS",
    "TLSServerName",
    "TLSSkipVerify",
    "TTL",
    "UDP",
)
_NAMES: Final = {key.lower(): key for key in _KEYS} | {
    f"{key}{_LONG_FORM}".lower(): key for key in _DURATIONS
}


def canonical(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The definition with its keys in canonical case and Go's durations as text; zero values are left out."""
    found: dict[str, Any] = {}
    for key, value in definition.items():
        name = _NAMES.get(key.lower(), key)
        shown = str(_duration(value) or "") if name in _DURATIONS else value
        if shown:
            found[name] = shown
    return found


def problems(path: str, definition: Mapping[str, Any]) -> Iterator[Problem]:
    """Durations that are none."""
    for key, value in definition.items():
        if _NAMES.get(key.lower()) in _DURATIONS and _duration(value) is None:
            what = f"{key} {quoted(str(value))} is not a duration"
            yield rules.problem(
                paths.join(path, key), what, 'write one such as "10s"', code=Code.TYPE_MISMATCH
            )


def _duration(value: object) -> Duration | None:
    """Text, or a number of nanoseconds; no value is zero, and None is no duration."""
    match value:
        case None | "":
            return Duration()
        case str():
            try:
                return Duration.parse(value)
            except ValueError:
                return None
        case int() if not isinstance(value, bool):
            return Duration(value)
    return None

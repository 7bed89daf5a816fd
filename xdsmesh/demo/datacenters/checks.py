"""What the demo of datacenters found, and whether it is what was promised: pure verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from xdsmesh.demo.datacenters.changes import FORBIDDEN, OK, Changes
from xdsmesh.demo.held import took_ms
from xdsmesh.demo.verdicts import Verdict, for_machines, wrong

_TURNS: Final = (FORBIDDEN, OK, FORBIDDEN)
_MOST_MS: Final = 5000
"""How long an edit in one datacenter may take to take hold in the other."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a spy saw: server names by the number of connections, bytes, and texts that it could read."""

    server_names: Mapping[str, int]
    size: int
    readable: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Findings:
    """What was observed.

    One spy stands ``between`` the gateways, another one ``beside`` api, before its Envoy. ``keys`` are the
    words for keys in the config dumps of the gateways, and ``keys_of_db`` those in that of db's sidecar.
    """

    verdicts: Sequence[Verdict]
    between: Sighting
    beside: Sighting
    keys: Mapping[str, frozenset[str]]
    keys_of_db: frozenset[str]
    changes: Changes

    @property
    def peer(self) -> str:
        """The SPIFFE id of the first caller that an application was told of."""
        return next((each.answer.peer for each in self.verdicts if each.answer.peer), "")

    @property
    def failed(self) -> int:
        """How many requests got what could be expected at no time."""
        changes = self.changes
        return sum(reply.status not in _TURNS for reply in changes.web) + sum(
            reply.status != OK for reply in changes.api
        )


@dataclass(frozen=True, slots=True)
class Promise:
    """Who db is told that calls, what can be asked for between the gateways, and what is said there."""

    api: str
    server_names: frozenset[str]
    texts: frozenset[bytes]


def problems(findings: Findings, promise: Promise) -> Iterator[str]:
    """All that did not hold, for a person; nothing if the demo is a success."""
    yield from wrong((*findings.verdicts, *findings.changes.without))
    if findings.peer != promise.api:
        yield f"db was told that {findings.peer or 'nobody'} calls, not {promise.api}"
    yield from _spy_problems(findings, promise)
    for gateway, words in findings.keys.items():
        yield from (f"the config dump of {gateway} has {word}" for word in sorted(words))
    if not findings.keys_of_db:
        yield "no key was found even at db's sidecar, which has one: the look at config dumps is blind"
    yield from _change_problems(findings.changes)


def let_in_ms(changes: Changes) -> float:
    """Milliseconds from the edit in one datacenter until web was let in, in the other."""
    return took_ms(changes.web, changes.let_in.edited, OK)


def caught_up_ms(changes: Changes) -> float:
    """Milliseconds since that control plane answers again until web was kept out, as written meanwhile."""
    return took_ms(changes.web, changes.returned, FORBIDDEN)


def report(findings: Findings) -> dict[str, Any]:
    """The findings for machines."""
    changes, between = findings.changes, findings.between
    return {
        "requests": len(changes.web) + len(changes.api),
        "failed": findings.failed,
        "peer_spiffe": findings.peer,
        "shift": {"failed": findings.failed, "ack_ms": round(changes.let_in.ack_ms, 1)},
        "verdicts": for_machines((*findings.verdicts, *changes.without)),
        "spy": {
            "server_names": dict(sorted(between.server_names.items())),
            "bytes": between.size,
            "readable": len(between.readable),
        },
        "beside_api": {"bytes": findings.beside.size, "readable": len(findings.beside.readable)},
        "gateway_keys": sum(map(len, findings.keys.values())),
    }


def _spy_problems(findings: Findings, promise: Promise) -> Iterator[str]:
    seen = findings.between.server_names.keys()
    for name in sorted(seen - promise.server_names):
        yield f"between the gateways, somebody asked for {name or 'no server name'}"
    for name in sorted(promise.server_names - seen):
        yield f"between the gateways, nobody asked for {name}"
    for text in sorted(findings.between.readable):
        yield f"between the gateways, it could be read: {text.decode()}"
    for text in sorted(promise.texts - findings.beside.readable):
        yield f"beside api, before its Envoy, it could not be read, so the spy is blind: {text.decode()}"


def _change_problems(changes: Changes) -> Iterator[str]:
    for who, replies, expected in (("web", changes.web, _TURNS), ("api", changes.api, (OK,))):
        turns = tuple(status for status, _ in groupby(reply.status for reply in replies))
        if turns != expected:
            yield f"{who} saw the statuses {_then(turns)}, not {_then(expected)}"
        if len({reply.port for reply in replies if reply.port}) != 1:
            yield f"the connection of {who} to its Envoy did not stay open"
    if let_in_ms(changes) > _MOST_MS:
        yield f"an intention took {let_in_ms(changes):.0f} ms to cross, more than {_MOST_MS}"


def _then(statuses: Sequence[int]) -> str:
    return ", then ".join(str(status or "an error") for status in statuses) or "nothing"

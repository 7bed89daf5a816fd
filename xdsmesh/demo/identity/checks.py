"""What the demo of identities found, and whether it is what was promised: pure verdicts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from xdsmesh.demo.edits import Edit
from xdsmesh.demo.held import Reply, took_ms
from xdsmesh.demo.verdicts import Verdict, for_machines, wrong

OK: Final = 200
FORBIDDEN: Final = 403
_TURNS: Final = (OK, FORBIDDEN, OK)
_FORBIDDEN_STREAM: Final = "the token is for the service web"
_MOST_MS: Final = 2000
"""How long an edit may take to take hold."""


@dataclass(frozen=True, slots=True)
class Change:
    """Intentions tightened and loosened, and the replies on connections that stayed open, by their names."""

    tightened: Edit
    loosened: Edit
    held: Mapping[str, Sequence[Reply]]

    @property
    def requests(self) -> int:
        """How many were sent on all of them."""
        return sum(map(len, self.held.values()))

    @property
    def failed(self) -> int:
        """How many got something else than was to be expected at one time or the other."""
        return sum(reply.status not in _TURNS for replies in self.held.values() for reply in replies)


@dataclass(frozen=True, slots=True)
class Findings:
    """What was observed.

    ``stream_refusal`` says why an Envoy with the token of web was not served as db; ``key_refused`` is
    whether the API refuses db's key to that token.
    """

    verdicts: Sequence[Verdict]
    stream_refusal: str
    key_refused: bool
    change: Change

    @property
    def peer(self) -> str:
        """The SPIFFE id of the first caller that an application was told of."""
        return next((each.answer.peer for each in self.verdicts if each.answer.peer), "")


def problems(findings: Findings, api: str) -> Iterator[str]:
    """All that did not hold, for a person; nothing if the demo is a success. ``api`` is its SPIFFE id."""
    yield from wrong(findings.verdicts)
    if findings.peer != api:
        yield f"db was told that {findings.peer or 'nobody'} calls, not {api}"
    if _FORBIDDEN_STREAM not in findings.stream_refusal:
        yield f"the stream of db's proxy with web's token: {findings.stream_refusal or 'it was not refused'}"
    if not findings.key_refused:
        yield "db's key was given to whoever shows web's token"
    yield from _change_problems(findings.change)


def slowest_ms(change: Change, edit: Edit, status: int) -> float:
    """The same of the connection where it took longest."""
    return max(took_ms(replies, edit.edited, status) for replies in change.held.values())


def report(findings: Findings) -> dict[str, Any]:
    """The findings for machines."""
    change = findings.change
    return {
        "requests": change.requests,
        "failed": change.failed,
        "peer_spiffe": findings.peer,
        "shift": {"failed": change.failed, "ack_ms": round(change.tightened.ack_ms, 1)},
        "verdicts": for_machines(findings.verdicts),
    }


def _change_problems(change: Change) -> Iterator[str]:
    for name, replies in change.held.items():
        turns = tuple(status for status, _ in groupby(reply.status for reply in replies))
        if turns != _TURNS:
            yield f"{name} saw the statuses {_then(turns)}, not {_then(_TURNS)}"
        if len({reply.port for reply in replies if reply.port}) != 1:
            yield f"{name} did not stay open"
    for what, edit, status in (("tighter", change.tightened, FORBIDDEN), ("looser", change.loosened, OK)):
        took = slowest_ms(change, edit, status)
        if took > _MOST_MS:
            yield f"{what} intentions took {took:.0f} ms to take hold, more than {_MOST_MS}"


def _then(statuses: Iterable[int]) -> str:
    return ", then ".join(str(status or "an error") for status in statuses) or "nothing"

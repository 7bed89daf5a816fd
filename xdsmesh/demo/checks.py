"""What the demo found, and whether it is what was promised: pure verdicts."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from xdsmesh.demo.layout import SPLIT_AFTER, SPLIT_BEFORE

FALSE_ALARM: Final = 1e-6
"""How likely a correct split may be called wrong."""

_CLIENT_ID: Final = re.compile(r"spiffe://[^/]+/ns/default/dc/dc1/svc/client")


@dataclass(frozen=True, slots=True)
class Shift:
    """The edit of the splitter under load. ``by_version`` counts requests begun after the last ACK."""

    requests: int
    failures: Mapping[str, int]
    ack_ms: float
    by_version: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Findings:
    """What was observed. ``failures`` counts by reason; sets hold the different answers that came back."""

    requests: int
    failures: Mapping[str, int]
    by_version: Mapping[str, int]
    admin_paths: frozenset[str]
    home_services: frozenset[str]
    peers: frozenset[str]
    shift: Shift


def problems(findings: Findings) -> Iterator[str]:
    """All that did not hold, for a person; nothing if the demo is a success."""
    shift = findings.shift
    yield from (
        f"before the shift, {count} requests failed: {why}" for why, count in findings.failures.items()
    )
    if not split_fits(findings.by_version, SPLIT_BEFORE):
        yield f"the split before the shift was {_counts(findings.by_version)}, not 90/10"
    if findings.admin_paths != {"/x"}:
        yield f"/admin/x reached admin as {listed(findings.admin_paths)}, not as /x"
    if findings.home_services != {"web"}:
        yield f"/ was answered by {listed(findings.home_services)}, not by web alone"
    if len(findings.peers) != 1 or not all(map(_CLIENT_ID.fullmatch, findings.peers)):
        yield f"the caller's SPIFFE id was {listed(findings.peers)}, not that of client"
    yield from (f"during the shift, {count} requests failed: {why}" for why, count in shift.failures.items())
    if not split_fits(shift.by_version, SPLIT_AFTER):
        yield f"the split after the shift was {_counts(shift.by_version)}, not 50/50"


def listed(values: Iterable[str]) -> str:
    """The values in one text."""
    return ", ".join(sorted(values)) or "nothing"


def split_fits(observed: Mapping[str, int], shares: Mapping[str, float]) -> bool:
    """Whether the counts may well come from these shares.

    Each request is an independent draw, so a count is binomially distributed. A count is refused when
    one that is at least as far out has a probability below ``FALSE_ALARM``, spread over all tails.
    """
    total = sum(observed.values())
    if not total or not set(observed) <= set(shares):
        return False
    bound = FALSE_ALARM / (2 * len(shares))
    return all(_tail(observed.get(version, 0), total, share) >= bound for version, share in shares.items())


def _tail(count: int, total: int, share: float) -> float:
    """The probability of the smaller tail of the binomial distribution, ``count`` included."""
    low = math.fsum(_probability(k, total, share) for k in range(count + 1))
    high = math.fsum(_probability(k, total, share) for k in range(count, total + 1))
    return min(low, high)


def _probability(count: int, total: int, share: float) -> float:
    ways = math.lgamma(total + 1) - math.lgamma(count + 1) - math.lgamma(total - count + 1)
    return math.exp(ways + count * math.log(share) + (total - count) * math.log1p(-share))


def _counts(by_version: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {version}" for version, count in sorted(by_version.items())) or "nothing"

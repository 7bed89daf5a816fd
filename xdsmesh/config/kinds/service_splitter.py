"""``service-splitter``: a service's requests divided by weight."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar, Final, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Entry, Shape
from xdsmesh.config.parts.headers import HeaderModifiers
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

_EVERYTHING: Final = 100
_HUNDREDTH: Final = Decimal("0.01")


class Split(Shape, frozen=True):
    """One leg. ``weight`` is in percent; ``normalize`` rounds it to a hundredth, half away from zero."""

    weight: float = 0.0
    """The share in percent, in steps of 0.01; all add up to 100."""
    service: str = ""
    """The service; empty is the splitter's own."""
    service_subset: str = ""
    """A subset of it, which is not split any further."""
    request_headers: HeaderModifiers | None = None
    """Changes to the headers of requests that take this leg."""
    response_headers: HeaderModifiers | None = None
    """Changes to the headers of their answers."""

    @property
    def hundredths(self) -> int:
        """The weight as an exact integer: a hundredth of a percent is 1, everything is 10,000."""
        return round(Decimal(repr(self.weight)) * 100)

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the leg by itself."""
        if not 0 <= self.weight <= _EVERYTHING:
            what = f"Weight must be between 0 and 100, not {self.weight:g}"
            yield rules.problem(f"{path}.Weight", what, code=Code.OUT_OF_RANGE)
        yield from rules.reference(f"{path}.Service", self.service)
        for label, headers in (
            ("RequestHeaders", self.request_headers),
            ("ResponseHeaders", self.response_headers),
        ):
            if headers:
                yield from headers.problems(f"{path}.{label}")


class ServiceSplitter(Entry, frozen=True, kw_only=True):
    """A service's requests divided by weight."""

    KIND: ClassVar[str] = "service-splitter"
    RANK: ClassVar[int] = 4

    splits: list[Split] = field(default_factory=list)
    """The legs; at least one."""

    def normalize(self) -> Self:
        """The entry with weights of whole hundredths."""
        splits = [structs.replace(split, weight=_rounded(split.weight)) for split in self.splits]
        return structs.replace(self, splits=splits)

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        for index, split in enumerate(self.splits):
            yield from split.problems(paths.item("Splits", index))
        yield from self._repeated()
        total = sum(split.hundredths for split in self.splits)
        if not self.splits:
            what = "a service-splitter needs at least one split"
            yield rules.problem("Splits", what, "add Splits", code=Code.REQUIRED)
        elif total != _EVERYTHING * 100:
            what = f"the weights of Splits add up to {Decimal(total) / 100:g}, not to 100"
            yield rules.problem("Splits", what, code=Code.WEIGHTS)

    def references(self) -> frozenset[str]:
        """The other services that requests may go to."""
        return frozenset(split.service for split in self.splits) - {"", self.name}

    def _repeated(self) -> Iterator[Problem]:
        """Legs that differ in nothing but their weight; those that change headers may, as in Consul."""
        first: dict[tuple[str, str], int] = {}
        for index, split in enumerate(self.splits):
            if split.request_headers or split.response_headers:
                continue
            same = first.setdefault((split.service or self.name, split.service_subset), index)
            if same != index:
                what = f"Splits[{index}] goes to the same destination as Splits[{same}]"
                remedy = "add their weights in one split"
                yield rules.problem(paths.item("Splits", index), what, remedy, code=Code.GIVEN_TWICE)


def _rounded(weight: float) -> float:
    """Round what a person wrote, not its binary neighbour: 0.285 is 0.29. What is far out of range stays."""
    if abs(weight) > 2 * _EVERYTHING:
        return weight
    return float(Decimal(repr(weight)).quantize(_HUNDREDTH, ROUND_HALF_UP))

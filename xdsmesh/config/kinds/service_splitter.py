"""``service-splitter``: a service's requests divided by weight."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar, Final, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Entry, Shape
from xdsmesh.config.parts.headers import HeaderModifiers
from xdsmesh.model.errors import Problem

_EVERYTHING: Final = 100
_HUNDREDTH: Final = Decimal("0.01")


class Split(Shape, frozen=True):
    """One leg. ``weight`` is in percent; ``normalize`` rounds it to a hundredth, half away from zero."""

    weight: float = 0.0
    service: str = ""
    service_subset: str = ""
    request_headers: HeaderModifiers | None = None
    response_headers: HeaderModifiers | None = None

    @property
    def hundredths(self) -> int:
        """The weight as an exact integer: a hundredth of a percent is 1, everything is 10,000."""
        return round(self.weight * 100)

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the leg by itself."""
        if not 0 <= self.weight <= _EVERYTHING:
            yield rules.problem(f"{path}.Weight", f"Weight must be between 0 and 100, not {self.weight:g}")
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
    RANK: ClassVar[int] = 3

    splits: list[Split] = field(default_factory=list)

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
            yield rules.problem("Splits", "a service-splitter needs at least one split", "add Splits")
        elif total != _EVERYTHING * 100:
            yield rules.problem("Splits", f"the weights of Splits add up to {total / 100:g}, not to 100")

    def references(self) -> frozenset[str]:
        """The other services that requests may go to."""
        return frozenset(split.service for split in self.splits) - {"", self.name}

    def _repeated(self) -> Iterator[Problem]:
        """Legs that differ in nothing but their weight."""
        seen: list[Split] = []
        for index, split in enumerate(self.splits):
            same = structs.replace(split, weight=0.0, service=split.service or self.name)
            if same in seen:
                what = f"Splits[{index}] goes to the same destination as Splits[{seen.index(same)}]"
                yield rules.problem(paths.item("Splits", index), what, "add their weights in one split")
            seen.append(same)


def _rounded(weight: float) -> float:
    """Round what a person wrote, not its binary neighbour: 0.285 is 0.29. What is out of range stays."""
    if not 0 <= weight <= _EVERYTHING:
        return weight
    return float(Decimal(repr(weight)).quantize(_HUNDREDTH, ROUND_HALF_UP))

"""Splits of splits as splits of one splitter: weights multiply, header modifiers merge."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from xdsmesh.chain.errors import too_large
from xdsmesh.chain.names import service_of
from xdsmesh.chain.types import ChainSplit, SplitterNode
from xdsmesh.config.parts.headers import HeaderModifiers

MAX_LEGS: Final = 1_000
"""How many legs a flattened splitter may have; nested ones multiply."""

_WHOLE: Final = 10_000


def flattened(chain: str, splitters: Mapping[str, SplitterNode]) -> dict[str, SplitterNode]:
    """The splitters of a chain, none of which leads to another one any more, and none in a circle.

    Again and again each leg that leads to a splitter makes room for the legs of that one, of outer splitters
    before those behind them, in the order of ``splitters``. Every product is rounded by itself, so the order
    can decide about a hundredth.

    Raises:
        CompileError: one has too many legs then.
    """
    flat = dict(splitters)
    while nested := [key for key in flat if any(split.next in flat for split in flat[key].splits)]:
        for key in nested:
            flat[key] = _without_splitters_behind(flat[key], flat, chain)
    return flat


def _without_splitters_behind(
    splitter: SplitterNode, splitters: Mapping[str, SplitterNode], chain: str
) -> SplitterNode:
    behind = [splitters.get(split.next) for split in splitter.splits]
    number = sum(len(inner.splits) if inner else 1 for inner in behind)
    if number > MAX_LEGS:
        what = f"has {number} legs with the splitters behind it, and {MAX_LEGS} are allowed"
        raise too_large(chain, what, service_of(splitter.key))
    pairs = zip(splitter.splits, behind, strict=True)
    return replace(splitter, splits=tuple(leg for split, inner in pairs for leg in _legs(split, inner)))


def _legs(split: ChainSplit, behind: SplitterNode | None) -> Iterable[ChainSplit]:
    return (_through(split, inner) for inner in behind.splits) if behind else (split,)


def _through(outer: ChainSplit, inner: ChainSplit) -> ChainSplit:
    """The leg that takes ``outer`` and then, at the splitter it leads to, ``inner``.

    Header modifiers apply in the order in which traffic passes them and the last one wins: on
    requests that is the inner leg's, on responses the outer one's.
    """
    return ChainSplit(
        weight=_share(outer.weight, inner.weight),
        next=inner.next,
        request_headers=_merge(outer.request_headers, inner.request_headers),
        response_headers=_merge(inner.response_headers, outer.response_headers),
        definition=inner.definition,
    )


def _share(outer: int, inner: int) -> int:
    """The product of two weights, rounded half away from zero."""
    return (outer * inner + _WHOLE // 2) // _WHOLE


def _merge(base: HeaderModifiers | None, over: HeaderModifiers | None) -> HeaderModifiers | None:
    """Both modifiers as one; where they differ ``over`` wins."""
    if base is None or over is None:
        return base or over
    return HeaderModifiers(
        add=base.add | over.add,
        set=base.set | over.set,
        remove=list(dict.fromkeys((*base.remove, *over.remove))),
    )

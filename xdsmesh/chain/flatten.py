"""A split of a split as one split: weights multiply, header modifiers merge."""

from typing import Final

from xdsmesh.chain.types import ChainSplit
from xdsmesh.config.parts.headers import HeaderModifiers

_WHOLE: Final = 10_000


def through(outer: ChainSplit, inner: ChainSplit) -> ChainSplit:
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

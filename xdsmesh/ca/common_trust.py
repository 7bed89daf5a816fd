"""The trust that the datacenters of a mesh have in common, as the primary tells it. Pure."""

from dataclasses import replace

from xdsmesh.ca.authority import Authority, Root, Standing
from xdsmesh.model.federation import Trust, TrustedRoot


def told(authority: Authority) -> Trust:
    """Whom the primary trusts, as others get it."""
    roots = (
        TrustedRoot(each.certificate_pem, each.standing, each.cross_signed_pem) for each in authority.roots
    )
    return Trust(authority.trust_domain, tuple(roots))


def taken(trust: Trust) -> tuple[Root, ...]:
    """The roots of the primary, the active one first.

    Raises:
        ValueError: they are no roots, or not exactly one is active.
    """
    roots = [
        Root.load(each.certificate_pem, Standing(each.standing), each.cross_signed_pem)
        for each in trust.roots
    ]
    roots.sort(key=lambda root: root.standing is not Standing.ACTIVE)
    if [root.standing for root in roots].count(Standing.ACTIVE) != 1:
        raise ValueError("the primary does not say of exactly one root that it is active")
    return tuple(roots)


def until_certified(wanted: tuple[Root, ...], own: Root) -> tuple[Root, ...]:
    """The roots while our intermediate is of another one than the primary's active root: all are trusted."""
    others = (each for each in wanted if each.id != own.id)
    return (own, *(replace(each, standing=_beside(each.standing)) for each in others))


def _beside(standing: Standing) -> Standing:
    return Standing.NEXT if standing is Standing.ACTIVE else standing

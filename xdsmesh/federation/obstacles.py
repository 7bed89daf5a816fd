"""What keeps a datacenter from joining another one before that is even asked."""

from collections.abc import Iterable
from datetime import datetime

from xdsmesh.catalog.keys import Key
from xdsmesh.catalog.view import CatalogView
from xdsmesh.federation.join_token import JoinToken
from xdsmesh.federation.refusals import refused
from xdsmesh.model.origin import Origin, Source

_MAX_NAMED = 10


def check_served(*, is_served: bool) -> None:
    """Refuse where this server can't be reached by other datacenters, and reaches none.

    Raises:
        RefusedError: it has no part in federation.
    """
    if not is_served:
        what = (
            "this server has no part in federation: it was started with --federation-addr off, or without xDS"
        )
        raise refused(what, "start it with --federation-addr, such as 127.0.0.1:0")


def check_token(token: JoinToken, now: datetime) -> None:
    """Refuse a token that does not work at this time, by our clock.

    Raises:
        RefusedError: it has expired, or is of the future.
    """
    certificate = token.certificate
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now >= end:
        what = f"the token expired at {end:%Y-%m-%d %H:%M:%S} UTC, and it is {now:%H:%M:%S} now"
        remedy = f"make another one at {token.primary} (`xdsmesh dc token`), or set the clock right"
        raise refused(what, remedy)
    if now < begin:
        what = f"the token works from {begin:%Y-%m-%d %H:%M:%S} UTC on, and it is {now:%H:%M:%S} here"
        raise refused(what, f"set the clock right, here or at {token.primary}")


def check_place(view: CatalogView, token: JoinToken, datacenter: str, trust_domain: str | None) -> None:
    """Refuse where this datacenter has its place in a mesh already; a trust domain is one that was asked for.

    Raises:
        RefusedError: it has joined another one, or others have joined it; or it has the name or not the trust
            domain.
    """
    membership = view.remote.membership
    if membership and membership.primary != token.primary:
        what = f"{datacenter} has joined {membership.primary} already, and the token is of {token.primary}"
        raise refused(what, "start another server with a new data folder, if it is to be in another mesh")
    trust = view.remote.trust
    if trust and token.trust_domain != trust.trust_domain:
        what = (
            f"{datacenter} has joined the mesh {trust.trust_domain} already, and the token is of another one,"
            f" {token.trust_domain}, whose primary is called {token.primary} as well"
        )
        raise refused(what, "start another server with a new data folder, if it is to be in another mesh")
    if membership is None and (others := sorted(view.remote.members.keys() - {datacenter})):
        what = (
            f"{', '.join(others)} have joined {datacenter}, which is their primary and can't join another one"
        )
        raise refused(what, "let the other one join this one, or remove them first: `xdsmesh dc remove`")
    if token.primary == datacenter:
        what = f"this datacenter is called {datacenter}, as the one that it is to join"
        raise refused(what, "start the server with another --datacenter, and a new data folder")
    if trust_domain not in (None, token.trust_domain):
        theirs = f"{token.primary} has the trust domain {token.trust_domain}"
        what = f"this server was started with --trust-domain {trust_domain}, and {theirs}"
        raise refused(what, "start it without --trust-domain: datacenters of a mesh have one in common")


def check_entries(view: CatalogView, primary: str, *, discard: bool) -> None:
    """Refuse where there are config entries: a datacenter that joins gets the primary's.

    Raises:
        RefusedError: some are of files; or of the API, and they are not to be discarded.
    """
    own = own_entries(view)
    declared = {key: origin for key, origin in own.items() if origin.source is Source.FILE}
    if declared:
        listed = _listed(f"{kind}/{name} ({origin})" for (kind, name), origin in sorted(declared.items()))
        what = f"files declare config entries here, and those of a mesh are the primary's: {listed}"
        raise refused(what, f"move them to the config folder of {primary}'s server")
    if own and not discard:
        listed = _listed("/".join(key) for key in sorted(own))
        what = f"there are config entries here, and those of a mesh are the primary's: {listed}"
        remedy = (
            f"write at {primary} what is still wanted (`xdsmesh config read` shows each), and join with"
            " --discard-entries, which deletes them here"
        )
        raise refused(what, remedy)


def own_entries(view: CatalogView) -> dict[Key, Origin]:
    """The config entries that are not of the primary, by kind and name, and who wrote them."""
    origins = {key: each.origin for key, each in view.entries.items()}
    return {key: origin for key, origin in origins.items() if origin.source is not Source.PRIMARY}


def _listed(names: Iterable[str]) -> str:
    named = list(names)
    more = len(named) - _MAX_NAMED
    return ", ".join(named[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")

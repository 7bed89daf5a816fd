"""A secondary has its intermediate certified by the primary, over the link to it."""

from collections.abc import Callable
from datetime import timedelta

from xdsmesh.ca.primary import AskPrimary
from xdsmesh.ca.stored import trust_problem
from xdsmesh.federation.errors import LinkError
from xdsmesh.federation.links import Links
from xdsmesh.federation.v1.federation_pb2 import SignIntermediateRequest


def ask_over(links: Links, primary: Callable[[], str]) -> AskPrimary:
    """What asks the primary of the moment, whenever it is to certify an intermediate."""

    async def ask(root_id: str, request_pem: str, lifetime: timedelta) -> str:
        request = SignIntermediateRequest(
            certificate_request=request_pem, root_id=root_id, lifetime_seconds=int(lifetime.total_seconds())
        )
        try:
            return (await links.call(primary()).sign_intermediate(request)).certificate
        except LinkError as error:
            what = f"{primary()}, which certifies the intermediate, can't be asked: {error.reason}"
            raise trust_problem(
                what, "it is tried again; `xdsmesh dc status` shows the link to it"
            ) from error

    return ask

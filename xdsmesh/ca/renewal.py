"""The intermediate's own life: how one comes to be, and when it is time for the next."""

import asyncio
from datetime import datetime, timedelta

from cryptography import x509

from xdsmesh.ca.authority import Authority, Root
from xdsmesh.ca.certificates import create_request, to_pem
from xdsmesh.ca.intermediate import Intermediate
from xdsmesh.ca.keys import generate
from xdsmesh.ca.provider import Provider
from xdsmesh.ca.stored import trust_problem


async def new_intermediate(
    provider: Provider, root: Root, trust_domain: str, lifetime: timedelta
) -> Intermediate:
    """Make a key, and have a provider's root certify it.

    Raises:
        RefusedError: the provider does not, or what it gives is not what was asked for.
    """
    key = await asyncio.to_thread(generate, root.kind)
    request = create_request(trust_domain, key)
    pem = await provider.sign_intermediate(root.certificate_pem, request, lifetime)
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        if certificate.public_key() != key.public_key():
            raise ValueError("the certificate for the intermediate is that of another key")  # noqa: TRY301
        intermediate = Intermediate(certificate, to_pem(certificate), key)
        intermediate.check_signed_by(root.certificate)
    except ValueError as error:
        raise trust_problem(str(error), "look at the configuration of the provider of the roots") from error
    return intermediate


def is_due(authority: Authority, lifetime: timedelta, now: datetime) -> bool:
    """Whether half of the intermediate's life has passed, and another one would end later."""
    current = authority.intermediate.certificate
    begin, end = current.not_valid_before_utc, current.not_valid_after_utc
    possible = min(now + lifetime, authority.active.not_after).replace(microsecond=0)
    return now >= begin + (end - begin) / 2 and possible > end

"""The token with which a datacenter joins: what it needs to know of the primary, and a key that works once.

As text it is ``xdsmesh-join.`` and base64url of JSON, compressed. It holds a private key: a secret.
"""

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Final

import msgspec
from cryptography import x509

from xdsmesh.federation.places import is_place
from xdsmesh.federation.refusals import refused
from xdsmesh.model.errors import RefusedError
from xdsmesh.settings import is_datacenter_name

PREFIX: Final = "xdsmesh-join."
_LARGEST: Final = 1 << 18
"""Bytes of a token's JSON: no more is ever unpacked."""
_ANOTHER: Final = "`xdsmesh dc token` at the primary makes another one"


@dataclass(frozen=True, slots=True)
class JoinToken:
    """The primary's name, trust domain, roots and mesh gateways; and who one may join as, with its key.

    Certificates and the key are PEM; ``chain_pem`` begins with the one of ``join_spiffe_id``. ``gateways``
    are wan addresses and ports, those that are healthy first.
    """

    primary: str
    trust_domain: str
    roots_pem: str
    chain_pem: str
    key_pem: str = field(repr=False)
    gateways: tuple[tuple[str, int], ...]

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate that works once; it ends when the token does."""
        return x509.load_pem_x509_certificate(self.chain_pem.encode())

    @property
    def text(self) -> str:
        """The token as it is handed over: a secret."""
        packed = zlib.compress(msgspec.json.encode(self), 9)
        return PREFIX + urlsafe_b64encode(packed).rstrip(b"=").decode()

    @classmethod
    def parse(cls, text: str) -> "JoinToken":
        """Read one; white space around and in it does not matter.

        Raises:
            RefusedError: it is none, or not whole.
        """
        text = "".join(text.split())
        if not text.startswith(PREFIX):
            what = f"this is not a token to join with: those begin with {PREFIX}"
            raise refused(what, "copy all of it from the primary, where `xdsmesh dc token` makes one")
        return _unpack(text.removeprefix(PREFIX))


def join_spiffe_id(trust_domain: str, token_id: str) -> str:
    """The identity by which a token joins."""
    return f"spiffe://{trust_domain}/agent/join/{token_id}"


def _unpack(text: str) -> JoinToken:
    try:
        unpacking = zlib.decompressobj()
        packed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        data = unpacking.decompress(packed, _LARGEST)
        if not unpacking.eof:
            raise _not_whole()
        token = msgspec.json.decode(data, type=JoinToken)
        _ = token.certificate
        if not is_datacenter_name(token.primary) or not all(is_place(*each) for each in token.gateways):
            raise _not_whole()
    except (ValueError, zlib.error, msgspec.MsgspecError):
        raise _not_whole() from None  # what was wrong may quote the key
    return token


def _not_whole() -> RefusedError:
    return refused("the token is not whole, or was changed on its way", f"copy all of it, or {_ANOTHER}")
